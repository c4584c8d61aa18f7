"""The list of a flow's layers, edited by hand."""
