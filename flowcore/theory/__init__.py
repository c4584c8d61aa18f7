"""The numbers of the theory page, one small module a figure; numpy alone, no torch.

The layers of ``flowcore.bijections`` are the real ones: these say the same for one point, one picture or one curve at a time,
and tests hold each of them against its layer.
"""
