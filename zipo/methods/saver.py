"""SAVER, in R: posterior means of counts under priors that a Poisson LASSO predicts from the other genes."""

name = "saver"
env = None
parameters: dict = {}
seeded = False  # it seeds the folds of each gene by the gene's number
keeps_library = True
scale = "posterior means of normalised counts times the cell's size factor: counts"
source = "Huang 2018, doi 10.1038/s41592-018-0033-z, SAVER 1.1.1 (GPL-2)"
install = "install R and, in R, install.packages('SAVER') or remotes::install_github('mohuangx/SAVER')"
command = ["Rscript", "{here}/r/run.R", "{here}/r/saver.R", "{input}", "{output}", "{seed}", "{threads}"]
