# Generated from deepimpute.txt by `make envs/deepimpute.post-deploy.sh`; Snakemake runs it once deepimpute.yaml is installed.
python -m pip install --no-deps deepimpute==1.2
