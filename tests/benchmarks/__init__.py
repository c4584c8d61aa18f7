"""How fast flowcore is beside the other flow libraries for torch: `make bench`, or `python -m tests.benchmarks --help`.

One run interleaves us with normflows, nflows, zuko and FrEIA on the same work with the same threads, after checking that
both sides compute the same thing. It writes docs/benchmarks.md, docs/benchmarks.json and docs/cost.png.
"""
