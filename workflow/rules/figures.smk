# Figures, each drawn from tables alone, and the tables of their own that some need.


rule totals:
    input:
        data=PLAN.data_files,
        code=code_of("totals"),
    output:
        PATHS.table("totals"),
    log:
        f"{RESULTS}/logs/totals.log",
    benchmark:
        f"{RESULTS}/benchmarks/totals.tsv"
    conda:
        "../../envs/zipo.yaml"
    resources:
        runtime=lambda w, attempt: PLAN.within_limit(30 * attempt),
    shell:
        "zipo study totals --target {output:q} {input.data:q} 2> {log:q}"


rule embed:
    input:
        files=lambda w: [file for pair in PLAN.latent_pairs for file in pair],
        code=code_of("embed"),
    output:
        embeddings=PATHS.table("embeddings"),
        clusters=PATHS.table("clusters"),
    log:
        f"{RESULTS}/logs/embed.log",
    benchmark:
        f"{RESULTS}/benchmarks/embed.tsv"
    conda:
        "../../envs/zipo.yaml"
    resources:
        runtime=lambda w, attempt: PLAN.within_limit(30 * attempt),
    params:
        pairs=["=".join(pair) for pair in PLAN.latent_pairs],
        seed=1,
    shell:
        "zipo study embed --embeddings {output.embeddings:q} --clusters {output.clusters:q} --seed {params.seed} "
        "{params.pairs:q} 2> {log:q}"


rule figure:
    input:
        tables=lambda w: map(PATHS.table, figures.tables_of(PLAN.figures[w.figure])),
        sizes=PATHS.file("table-1.tsv"),
        code=lambda w: code_of("figure", PLAN.figures[w.figure].__name__),
    output:
        png=PATHS.figure("png"),
        pdf=PATHS.figure("pdf"),
        tsv=PATHS.figure("tsv"),
        page=report(
            PATHS.figure("html"),
            caption="../report/page.rst",
            category="1 Figures",
            labels=lambda w: {"figure": w.figure.removeprefix("figure-"), "title": PLAN.figures[w.figure].title},
        ),
    log:
        f"{RESULTS}/logs/figures/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figures/{{figure}}.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        study=as_it_is(facts.FigureFacts.of(STUDY).as_json()),
        caption=lambda w: PLAN.figures[w.figure].caption,
        stem=lambda w, output: output.png.removesuffix(".png"),
    shell:
        "zipo study figure --name {wildcards.figure} --study {params.study:q} --sizes {input.sizes:q} --stem {params.stem:q} "
        "{input.tables:q} 2> {log:q}"
