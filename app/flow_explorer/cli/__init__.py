"""The command line: every job of the window, and the window itself when no job is named.

One file a command; none of them imports torch or Qt before it must, so `flow-explorer --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from flow_explorer.cli.parser import UsageError, build_parser
from flow_explorer.cli.window import with_session
from flow_explorer.terminal.ending import EXIT_CODES, Ended, unwinding
from flow_explorer.terminal.output import open_streams, say, silence
from flowcore.errors import FlowError

__all__ = ["main"]

BAD_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as the shell counts
BROKEN_PIPE = 141  # 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 2 bad input (with a sentence), 130 interrupted.

    Ended by another signal it is 128 and that signal's number, as the shell counts.
    """
    # Read once, when torch is loaded: its threads then sleep while they wait (GNU's after some microseconds, so that
    # small kernels find them awake), and leave the machine to others.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    open_streams()
    try:
        with unwinding():
            args = build_parser().parse_args(with_session(list(sys.argv[1:] if argv is None else argv)))
            code = args.run(args)
            sys.stdout.flush()
            return code
    except SystemExit as leaving:  # --help and --version
        return leaving.code if isinstance(leaving.code, int) else 0
    except UsageError as error:
        say(str(error))
        return BAD_INPUT
    except FlowError as error:
        say(f"flow-explorer: {error}")
        return BAD_INPUT
    except Ended as end:
        say(f"flow-explorer: ended by {end.name}.")
        return EXIT_CODES[end.number]
    except KeyboardInterrupt:
        say("flow-explorer: interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, say) has had enough. Python would complain again at exit, when it flushes what is left.
        silence(sys.stdout)
        return BROKEN_PIPE
    except MemoryError:
        say("flow-explorer: there is not enough memory for this: ask for fewer or smaller pictures.")
        return BAD_INPUT
    except OSError as error:
        # What the checks before the work could not foresee: a disk that filled up, a file that went away.
        where = f"{error.filename}: " if error.filename else ""
        say(f"flow-explorer: {where}{error.strerror or error}.")
        try:
            sys.stdout.flush()
        except OSError:
            silence(sys.stdout)
        return BAD_INPUT
