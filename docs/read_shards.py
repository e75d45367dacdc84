#!/usr/bin/env python3
"""Read a run's shards with pyarrow, pandas, Hugging Face datasets and DuckDB, and compare what they read, value by value.

    pip install pyarrow pandas datasets duckdb
    python docs/read_shards.py RUN

Prints what each reader read; exit code 1 when two of them disagree.
"""
import glob
import os
import sys
import tempfile

import duckdb
import pandas
import pyarrow.parquet as pq


def by_pyarrow(files):
    """All rows as Python values: the reference that the others are held against."""
    rows = []
    for name in files:
        rows += pq.read_table(name).to_pylist()
    return rows


def by_pandas(files):
    """Lists come as numpy arrays, structs as dicts."""
    return pandas.concat([pandas.read_parquet(name) for name in files], ignore_index=True).to_dict("records")


def by_datasets(files, cache):
    import datasets

    rows = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=cache)
    return list(rows)


def by_duckdb(files, columns):
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    # Arrow keeps DuckDB's values as they are.
    rows = []
    names = ", ".join(f'"{column}"' for column in columns)
    for name in files:
        rows += db.sql(f"SELECT {names} FROM read_parquet(?)", params=[name]).to_arrow_table().to_pylist()
    return rows


def plain(value):
    """One form for every reader's values."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "tolist") and not isinstance(value, (str, bytes)):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if hasattr(value, "timestamp"):
        return ("time", round(value.timestamp() * 1000))
    if isinstance(value, float) and value != value:
        return None  # pandas writes a missing number so
    return value


def first_difference(a, b, where=""):
    if isinstance(a, dict) and isinstance(b, dict):
        if set(a) != set(b):
            return f"{where}: fields {sorted(a)} and {sorted(b)}"
        for key in a:
            found = first_difference(a[key], b[key], f"{where}.{key}")
            if found:
                return found
        return ""
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return f"{where}: {len(a)} and {len(b)} items"
        for i, (x, y) in enumerate(zip(a, b)):
            found = first_difference(x, y, f"{where}[{i}]")
            if found:
                return found
        return ""
    return "" if a == b else f"{where}: {str(a)[:80]!r} and {str(b)[:80]!r}"


def compare(run, table, cache):
    files = sorted(glob.glob(os.path.join(run, table, "*.parquet")))
    if not files:
        sys.exit(f"{run} has no {table}: is it a finished run?")
    reference = [plain(row) for row in by_pyarrow(files)]
    columns = pq.read_schema(files[0]).names
    print(f"{table}: {len(files)} files, {len(reference)} rows, columns {', '.join(columns)}")
    wrong = 0
    for name, read in (("pandas", lambda: by_pandas(files)), ("datasets", lambda: by_datasets(files, cache)), ("duckdb", lambda: by_duckdb(files, columns))):
        rows = [plain(row) for row in read()]
        difference = first_difference(reference, rows, table)
        print(f"  {name:9} {len(rows)} rows, {'equal to pyarrow' if not difference else 'DIFFERENT at ' + difference}")
        wrong += bool(difference)
    return reference, wrong


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    wrong = 0
    with tempfile.TemporaryDirectory() as cache:
        for table in ("docs", "rejects", "images"):
            rows, bad = compare(sys.argv[1], table, cache)
            wrong += bad
            if table == "docs" and rows:
                doc = max(rows, key=lambda row: len(row["image_info"]))
                print(f"  for example {doc['url']}: {len(doc['text_list'])} sentences, {len(doc['image_info'])} images")
                for image in doc["image_info"][:3]:
                    sentence = doc["text_list"][image["matched_text_index"]]
                    print(f"    {image['image_name']} {image['width']}x{image['height']} {image['matched_sim']:.3f} {sentence[:70]!r}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
