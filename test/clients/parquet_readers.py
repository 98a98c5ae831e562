"""Reads the tables of a prediction log as they lie on the disk, with the readers that people use.

Run by parquet-readers.test.ts, which wrote them and knows what each reader must find.
"""

import glob
import json
import os

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from cases import run_cases

COLUMNS = [
    "prediction_id", "ts", "service", "model", "version", "status", "error_code", "total_us", "label",
    "score", "is_outlier", "row_index", "features", "prediction", "dt", "hour", "trace_id",
]  # fmt: skip


def plain(value):
    """A value without what is only its reader's."""
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if hasattr(value, "as_py"):
        return plain(value.as_py())
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "item"):
        return plain(value.item())
    return value


def facts(records, columns):
    """Rows in one order, and the columns that are there."""
    rows = [{name: plain(record[name]) for name in COLUMNS} for record in records]
    for row in rows:
        # Folders are text to some readers, and days and numbers to others.
        row["dt"] = str(row["dt"])
        row["hour"] = int(row["hour"])
        row["ts"] = row["ts"].replace("+00:00", "")
        row["features"] = json.loads(row["features"]) if row["features"] else None
        row["prediction"] = json.loads(row["prediction"]) if row["prediction"] else None
    return {"rows": sorted(rows, key=lambda row: row["prediction_id"]), "columns": sorted(columns)}


def table(server, name):
    return os.path.join(server["folder"], name)


def pandas(server):
    frame = pd.read_parquet(table(server, "predictions"))
    return facts(frame.astype(object).to_dict("records"), frame.columns)


def polars(server):
    frame = pl.read_parquet(table(server, "predictions") + "/**/*.parquet", hive_partitioning=True)
    return facts(frame.to_dicts(), frame.columns)


def polars_lazily(server):
    """Reads the folders it needs and no others."""
    frame = pl.scan_parquet(table(server, "predictions"), hive_partitioning=True)
    counts = frame.filter(pl.col("model") == "iris").group_by("status").agg(pl.len()).collect()
    return sorted(counts.rows())


def pyarrow(server):
    data = ds.dataset(table(server, "predictions"), partitioning="hive").to_table()
    return facts(data.to_pylist(), data.column_names)


def pyarrow_filtered(server):
    data = ds.dataset(table(server, "predictions"), partitioning="hive")
    return data.count_rows(filter=ds.field("model") == "iris")


def duckdb_(server):
    source = duckdb.sql(
        f"FROM read_parquet('{table(server, 'predictions')}/**/*.parquet', hive_partitioning = true)"
    )
    names = source.columns
    return facts([dict(zip(names, row)) for row in source.fetchall()], names)


def types(server):
    """Types as they are in the files: every one has the same."""
    paths = sorted(glob.glob(table(server, "predictions") + "/**/*.parquet", recursive=True))
    schemas = [pq.read_schema(path) for path in paths]
    assert all(schema.equals(schemas[0]) for schema in schemas), "the files differ"
    return {field.name: str(field.type) for field in schemas[0]}


def feedback(server):
    """What each reader finds in the other table."""
    folder = table(server, "feedback")
    arrow = ds.dataset(folder, partitioning="hive").to_table().to_pylist()
    return {
        "pandas": pd.read_parquet(folder)["label"].tolist(),
        "polars": pl.read_parquet(folder + "/**/*.parquet", hive_partitioning=True)["label"].to_list(),
        "pyarrow": [row["label"] for row in arrow],
        "duckdb": [
            label
            for (label,) in duckdb.sql(f"SELECT label FROM '{folder}/**/*.parquet'").fetchall()
        ],
    }


run_cases([pandas, polars, polars_lazily, pyarrow, pyarrow_filtered, duckdb_, types, feedback])
