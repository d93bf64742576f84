# adama-jax with the versions of uv.lock. This file was not built where it was written, for there was no Docker: only
# its commands were run, on a CPU, in an empty folder. The one with CUDA was not run at all.
#
#   docker build -t adama-jax .
#   docker build -t adama-jax:cuda --build-arg EXTRAS="--extra all --extra cuda" .
#
# Results are left in the folder that is mounted, as files of who runs it:
#
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" adama-jax train predator_prey episodes=300
#   docker run --rm --gpus all --user "$(id -u):$(id -g)" -v "$PWD:/work" adama-jax:cuda train predator_prey
ARG PYTHON=3.13
FROM python:${PYTHON}-slim

RUN pip install --no-cache-dir uv==0.13.9

WORKDIR /opt/adama
COPY pyproject.toml uv.lock README.md LICENSE ./
# What is installed changes less often than the package: a layer of its own.
ARG EXTRAS="--extra all"
RUN uv sync --frozen --no-cache --no-dev --no-install-project ${EXTRAS}

COPY adama_jax adama_jax
COPY experiments experiments
RUN uv sync --frozen --no-cache --no-dev --no-editable ${EXTRAS}

# Whoever runs it: caches of compiled programs and of fonts need a home that can be written.
ENV PATH=/opt/adama/.venv/bin:$PATH HOME=/tmp
WORKDIR /work
ENTRYPOINT ["adama"]
CMD ["--help"]
