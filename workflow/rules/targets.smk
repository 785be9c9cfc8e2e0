# Parts of a study by short names, as in `snakemake figure-08`; `claims`, `leaderboard` and `report` are rules by themselves.

for figure_name in figures.discover():

    rule:
        name:
            figure_name
        input:
            lambda w, name=figure_name: files_of_figure(name),


rule:
    name:
        "table-1"
    input:
        f"{RESULTS}/table-1.tsv",


rule runs:
    input:
        lambda w: runs_files() or refuse("runs", "experiments"),
