# Runs a method in R: Rscript run.R SCRIPT INPUT OUTPUT SEED THREADS [PARAMETER ...]
#
# SCRIPT, a file beside this one, names the `package` that it needs and defines denoise(counts, seed, threads, ...), which
# takes raw counts (genes x cells) and parameters as text, and gives denoised counts of the same shape. The files in the
# folders INPUT and OUTPUT are those of zipo/benchmark/running/exchange.py.

NOT_INSTALLED <- 69 # exit code by which a program says that something it needs is not installed

arguments <- commandArgs(trailingOnly = TRUE)
source(arguments[1])

for (name in c("Matrix", package)) {
  if (!requireNamespace(name, quietly = TRUE)) {
    message("the R package ", name, " is not installed")
    quit(status = NOT_INSTALLED)
  }
}

counts <- t(as.matrix(Matrix::readMM(file.path(arguments[2], "counts.mtx"))))
dimnames(counts) <- lapply(c("genes.txt", "cells.txt"), function(name) readLines(file.path(arguments[2], name)))
seed <- as.integer(arguments[4])
set.seed(seed)
denoised <- do.call(denoise, c(list(counts, seed, as.integer(arguments[5])), as.list(arguments[-(1:5)])))
stopifnot(dim(denoised) == dim(counts))
write.table(t(denoised), file.path(arguments[3], "denoised.csv"), sep = ",", row.names = FALSE, col.names = FALSE)
