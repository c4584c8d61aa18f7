"""The training workspace: choose pictures and a flow, start `flow-explorer train`, watch its run folder."""
