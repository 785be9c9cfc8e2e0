"""What the results have to do with those of openproblems' denoising task, in words for pages."""

NOTE = """The data set pancreas of the denoising task of openproblems is the human pancreas of Baron 2016, of which
donor 1 is the data set baron here (1,937 cells; openproblems keeps 15,502 genes). Its Poisson loss is called with
prediction and truth swapped: the held-out counts are taken as what is predicted, and the denoised counts as what was
observed. So it does not punish a prediction of zero where there are molecules: on simulated counts, predicting zeros
everywhere scores 0.196 and the true mean 1.502, lower being better, so that zeros win. In the right order, the zeros
score 2.702 and the true mean 0.299. Ranks by that loss are hence not comparable with those by the Poisson deviance
here, by which the true mean comes first."""
