# The pages of all tasks, and their API, on port 7860.
#
#   docker build -t pix2pix .
#   docker run --rm -p 7860:7860 --read-only --tmpfs /tmp:size=4g,mode=1777 pix2pix
#
# Temporary files are what visitors send and what is made of it: in memory, as above, or a volume at /tmp.
# Who may sign in: append `pix2pix serve --host 0.0.0.0 --port 7860 --auth USER:PASSWORD`.
FROM python:3.12-slim

# As everyone may read it, and the server may not write it.
WORKDIR /opt/pix2pix
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY configs configs
COPY pix2pix pix2pix
RUN pip install --no-cache-dir --constraint constraints.txt '.[app,video]' \
    && useradd --create-home --shell /usr/sbin/nologin visitor

# Out of the sources: what runs is what was installed, and not what lies in /opt.
WORKDIR /srv
USER visitor
# What a compiled or measured model is kept in is not needed, and the file system may be read-only.
ENV PYTHONUNBUFFERED=1 XDG_CACHE_HOME=/tmp/cache HOME=/tmp
VOLUME /tmp
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/health', timeout=4)"]
CMD ["pix2pix", "serve", "--host", "0.0.0.0", "--port", "7860"]
