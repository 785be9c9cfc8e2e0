# Every picture is drawn from tables alone, most from the runs table.


rule totals:
    input:
        data=[data_of(dataset) for dataset in STUDY.datasets],
        code=code("zipo.study.totals"),
    output:
        f"{RESULTS}/totals.parquet",
    log:
        f"{RESULTS}/logs/totals.log",
    benchmark:
        f"{RESULTS}/benchmarks/totals.tsv"
    conda:
        "../../envs/zipo.yaml"
    resources:
        runtime=lambda w, attempt: within_limit(30 * attempt),
    shell:
        "zipo study totals --target {output:q} {input.data:q} 2> {log:q}"


rule embed:
    input:
        files=lambda w: [file for pair in latent_space() for file in pair],
        code=code("zipo.study.latent_space"),
    output:
        embeddings=f"{RESULTS}/embeddings.parquet",
        clusters=f"{RESULTS}/clusters.parquet",
    log:
        f"{RESULTS}/logs/embed.log",
    benchmark:
        f"{RESULTS}/benchmarks/embed.tsv"
    conda:
        "../../envs/zipo.yaml"
    resources:
        runtime=lambda w, attempt: within_limit(30 * attempt),
    params:
        pairs=["=".join(pair) for pair in latent_space()],
        seed=1,
    shell:
        "zipo study embed --embeddings {output.embeddings:q} --clusters {output.clusters:q} --seed {params.seed} "
        "{params.pairs:q} 2> {log:q}"


rule figure:
    input:
        tables=lambda w: [f"{RESULTS}/{name}.parquet" for name in figures.tables_of(FIGURES[w.figure])],
        sizes=f"{RESULTS}/table-1.tsv",
        code=lambda w: code(FIGURES[w.figure].__name__, "zipo.figures.shared.caption"),
    output:
        png=f"{RESULTS}/figures/{{figure}}.png",
        pdf=f"{RESULTS}/figures/{{figure}}.pdf",
        tsv=f"{RESULTS}/figures/{{figure}}.tsv",
        page=report(
            f"{RESULTS}/figures/{{figure}}.html",
            caption="../report/page.rst",
            category="1 Figures",
            labels=lambda w: {"figure": w.figure.removeprefix("figure-"), "title": FIGURES[w.figure].title},
        ),
    log:
        f"{RESULTS}/logs/figures/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figures/{{figure}}.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        study=json.dumps(ABOUT),
        caption=lambda w: FIGURES[w.figure].caption,
        stem=lambda w: f"{RESULTS}/figures/{w.figure}",
    shell:
        "zipo study figure --name {wildcards.figure} --study {params.study:q} --sizes {input.sizes:q} --stem {params.stem:q} "
        "{input.tables:q} 2> {log:q}"
