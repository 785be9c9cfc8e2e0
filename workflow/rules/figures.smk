# Every picture is drawn from tables alone, most from the runs table.


rule totals:
    input:
        data=expand(f"{RESULTS}/data/{{dataset}}.h5ad", dataset=STUDY.datasets),
        code=code("study/totals.py"),
    output:
        f"{RESULTS}/totals.parquet",
    log:
        f"{RESULTS}/logs/totals.log",
    benchmark:
        f"{RESULTS}/benchmarks/totals.tsv"
    conda:
        "../../envs/zipo.yaml"
    shell:
        "python -m zipo study totals {output:q} {input.data:q} 2> {log:q}"


rule embed:
    input:
        files=lambda w: [file for pair in latent_space() for file in pair],
        code=code("study/embedding.py"),
    output:
        embeddings=f"{RESULTS}/embeddings.parquet",
        clusters=f"{RESULTS}/clusters.parquet",
    log:
        f"{RESULTS}/logs/embed.log",
    benchmark:
        f"{RESULTS}/benchmarks/embed.tsv"
    conda:
        "../../envs/zipo.yaml"
    params:
        pairs=["=".join(pair) for pair in latent_space()],
        seed=1,
    shell:
        "python -m zipo study embed {output.embeddings:q} {output.clusters:q} {params.seed} {params.pairs:q} 2> {log:q}"


rule figure:
    input:
        tables=lambda w: [f"{RESULTS}/{name}.parquet" for name in figures.tables_of(FIGURES[w.figure])],
        module=lambda w: code(f"figures/{w.figure.replace('-', '_')}.py"),
        shared=code("figures/[!f]*.py", "study/statistics.py"),
    output:
        png=report(
            f"{RESULTS}/figures/{{figure}}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels=lambda w: {"figure": w.figure, "title": FIGURES[w.figure].title},
        ),
        pdf=f"{RESULTS}/figures/{{figure}}.pdf",
        tsv=f"{RESULTS}/figures/{{figure}}.tsv",
    log:
        f"{RESULTS}/logs/figures/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figures/{{figure}}.tsv"
    conda:
        "../../envs/zipo.yaml"
    params:
        study=json.dumps(ABOUT),
        caption=lambda w: f"{FIGURES[w.figure].caption} {what_ran(FIGURES[w.figure].experiments)}",
        stem=lambda w: f"{RESULTS}/figures/{w.figure}",
    shell:
        "python -m zipo study figure {wildcards.figure} {params.study:q} {params.stem:q} {input.tables:q} 2> {log:q}"


rule provenance:
    input:
        runs=f"{RESULTS}/runs.parquet",
        code=code("study/provenance.py"),
    output:
        report(
            f"{RESULTS}/provenance.tsv",
            caption="../report/provenance.rst",
            category="Study",
            labels={"table": "Hardware, versions, cost"},
        ),
    log:
        f"{RESULTS}/logs/provenance.log",
    benchmark:
        f"{RESULTS}/benchmarks/provenance.tsv"
    conda:
        "../../envs/zipo.yaml"
    shell:
        "python -m zipo study provenance {input.runs:q} {output:q} 2> {log:q}"


rule report:
    input:
        f"{RESULTS}/provenance.tsv",
        figure_files(),
        claims_files(),
        f"{RESULTS}/runs.tsv",
        f"{RESULTS}/table-1.tsv",
        tuning_files(),
    output:
        f"{RESULTS}/report.html",
    log:
        f"{RESULTS}/logs/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report.tsv"
    conda:
        "../../envs/zipo.yaml"
    params:
        configfiles=STUDY_FILES,
    shell:
        # a second Snakemake reads this run's records; it starts no job, so it needs no lock
        "python -m snakemake --nolock --configfile {params.configfiles:q} --report {output:q} -- {input:q} "
        "> {log:q} 2>&1"
