# Generated from dca.txt by `make envs/dca.post-deploy.sh`; Snakemake runs it once dca.yaml is installed.
python -m pip install --no-deps dca==0.3.4
