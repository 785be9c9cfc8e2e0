"""Names of what denoising is compared with, and of the slots that hold what it is worth."""

EXPLAINED = "zipo_explained"  # of obs and var
CHECK = "zipo_check"  # of uns

ZIPO = "ZiPo"
SIMPLE = {
    "gene means": "each gene's mean, at the cell's library size",
    "mixture": "counts mixed with gene means by one weight",
    "gene by gene": "counts shrunk to the gene's mean, gene by gene",
    "PCA": "counts rebuilt from 20 principal components",
}
"""Simple predictions."""
WITHOUT = {name: name != "PCA" for name in SIMPLE}
"""Which of them denoise nothing: they predict a gene from its own counts alone."""
