# Parts of a study by short names, as in `snakemake figure-08`; `claims`, `readings`, `leaderboard` and `report` are rules by themselves.

for figure_name in figures.discover():

    rule:
        name:
            figure_name
        input:
            lambda w, name=figure_name: inputs_of_target(name),


rule:
    name:
        "table-1"
    input:
        PATHS.file("table-1.tsv"),


rule runs:
    input:
        lambda w: inputs_of_target("runs"),
