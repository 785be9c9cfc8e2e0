package <- "SAVER"

denoise <- function(counts, seed, threads) {
  # those that SAVER takes by default; it gives counts divided by them
  size_factors <- colSums(counts) / mean(colSums(counts))
  # sparse: SAVER 1.1.1 asks for the class of a matrix in a way that R refuses from 4.2 on where it has two, as a plain one
  sparse <- Matrix::Matrix(counts, sparse = TRUE)
  estimates <- SAVER::saver(sparse, ncores = threads, estimates.only = TRUE)
  sweep(as.matrix(estimates), 2, size_factors, "*")
}
