"""Makes an empty database on a PostgreSQL server: `create_database.py URL NAME`."""

import sys

import psycopg
from psycopg import sql

with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(sys.argv[2])))
