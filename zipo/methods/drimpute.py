"""DrImpute, in R: zeros replaced by means of the clusters that a cell is in, over several clusterings."""

name = "drimpute"
env = None
parameters: dict = {}
seeded = True
keeps_library = True
scale = "log(x + 1) of normalised counts whose zeros are imputed, taken back and times the cell's size factor: counts"
source = "Gong 2018, doi 10.1186/s12859-018-2226-y, DrImpute 1.0 (GPL-3)"
install = "install R and, in R, install.packages('DrImpute') or remotes::install_github('ikwak2/DrImpute')"
command = ["Rscript", "{here}/r/run.R", "{here}/r/drimpute.R", "{input}", "{output}", "{seed}", "{threads}"]
