"""Image links of a WARC by warcio and lxml. open: warc (a file).

Result: for every HTML page with status 200, in order, its URL and the absolute URLs of its <img src>, without fragments.
"""
from importlib.metadata import version
from urllib.parse import urldefrag, urljoin

from lxml import etree, html
from protocol import serve
from warcio.archiveiterator import ArchiveIterator


def links(url, content_type, body):
    charset = None
    if "charset=" in content_type:
        charset = content_type.split("charset=")[1].split(";")[0].strip(" \"'") or None
    try:
        tree = html.document_fromstring(body, parser=html.HTMLParser(encoding=charset))
    except (etree.ParserError, LookupError, ValueError):
        return []
    base = tree.find(".//base[@href]")
    if base is not None:
        url = urljoin(url, base.get("href").strip())
    found = []
    for image in tree.iter("img"):
        src = image.get("src")
        if src is not None and src.strip():
            try:
                absolute = urldefrag(urljoin(url, src.strip()))[0]
            except ValueError:
                continue
            if absolute.startswith(("http://", "https://")):
                found.append(absolute)
    return found


class Links:
    def __init__(self, warc):
        self.warc = warc
        self.version = f"warcio {version('warcio')} + lxml {version('lxml')}"

    def run(self):
        pages = []
        with open(self.warc, "rb") as f:
            for record in ArchiveIterator(f):
                if record.rec_type != "response" or record.http_headers.get_statuscode() != "200":
                    continue
                content_type = record.http_headers.get_header("Content-Type") or ""
                if "html" not in content_type:
                    continue
                url = record.rec_headers.get_header("WARC-Target-URI")
                pages.append([url, links(url, content_type, record.content_stream().read())])
        return pages


serve(Links)
