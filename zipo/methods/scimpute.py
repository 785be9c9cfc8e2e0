"""scImpute, in R: counts that a mixture model takes for lost, predicted from cells of the same cluster.

The number of clusters has to be given; 10 is the default within the package. Its authors advise against few genes.
"""

name = "scimpute"
env = None
parameters = {"clusters": 10, "threshold": 0.5}
seeded = False  # it seeds its clustering and each cell by their numbers
keeps_library = True
scale = "imputed counts per million, taken back to the cell's own library size by the package: counts"
source = "Li 2018, doi 10.1038/s41467-018-03405-7, scImpute 0.0.9 (GPL)"
install = "install R and, in R, remotes::install_github('Vivianstats/scImpute')"
command = [
    *("Rscript", "{here}/r/run.R", "{here}/r/scimpute.R", "{input}", "{output}", "{seed}", "{threads}"),
    *("{clusters}", "{threshold}"),
]
