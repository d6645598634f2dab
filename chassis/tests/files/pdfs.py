"""PDFs for the tests, made of their few necessary objects: good ones, and hostile ones."""

import zlib


def pdf(*texts: str) -> bytes:
    """Return a PDF with a page for each text."""
    pages = [f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode() if text else b"" for text in texts]
    return of_streams(*((page, b"") for page in pages))


def bomb() -> bytes:
    """Return a small PDF whose page has 400 MB when it is unpacked."""
    packer, packed = zlib.compressobj(9), b""
    for _ in range(400):
        packed += packer.compress(b"x" * 1_000_000)
    return of_streams((zlib.compress(packed + packer.flush(), 9), b"/Filter [/FlateDecode /FlateDecode] "))


def endless() -> bytes:
    """Return a PDF whose page has very many small operations."""
    return of_streams((zlib.compress(b"BT /F1 1 Tf 1 1 Td (x) Tj ET\n" * 3_000_000, 9), b"/Filter /FlateDecode "))


def of_streams(*streams: tuple[bytes, bytes]) -> bytes:
    """Return a PDF with a page for each content, which has the given entries in its dictionary."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(streams)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, (content, entries) in enumerate(streams):
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R "
        objects.append(f"{page}/Resources << /Font << /F1 3 0 R >> >> >>".encode())
        objects.append(b"<< %s/Length %d >>\nstream\n%s\nendstream" % (entries, len(content), content))
    body, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + head + table + end
