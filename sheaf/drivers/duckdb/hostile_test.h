// Statements that reach for what is not theirs; none may succeed.
#pragma once

#include <string>
#include <vector>

namespace sheaf::duckdb::testing {

// Files by function, by name, by list, by glob, by link, by scheme.
inline std::vector<std::string> Reading(const std::string& directory, const std::string& file) {
  return {
      "from read_csv('" + file + "')",
      "from read_csv_auto('" + file + "')",
      "from read_csv(['" + file + "'])",
      "select * from \"read_csv\"('" + file + "')",
      "select * from system.main.read_csv('" + file + "')",
      "from read_text('" + file + "')",
      "from read_blob('" + file + "')",
      "from read_json('" + file + "')",
      "from read_json_auto('" + file + "')",
      "from read_json_objects('" + file + "')",
      "from read_ndjson('" + file + "')",
      "from read_parquet('" + file + "')",
      "from parquet_scan('" + file + "')",
      "from parquet_metadata('" + file + "')",
      "from parquet_schema('" + file + "')",
      "from parquet_file_metadata('" + file + "')",
      "from parquet_kv_metadata('" + file + "')",
      "from parquet_bloom_probe('" + file + "', 'a', 1)",
      "from parquet_full_metadata('" + file + "')",
      "from read_duckdb('" + file + "')",
      "from sniff_csv('" + file + "')",
      "from glob('" + directory + "/*')",
      "from glob('/etc/*')",
      "from '" + file + "'",
      "from \"" + file + "\"",
      "from '" + directory + "/*.csv'",
      "from 'file://" + file + "'",
      "from 'https://example.com/x.parquet'",
      "from read_parquet('https://example.com/x.parquet')",
      "from read_csv('s3://bucket/x.csv')",
      "from read_csv('/dev/stdin')",
      "from read_text('/proc/self/environ')",
      "from read_text('" + directory + "/../" + directory + "/secret.csv')",
      "select (from read_text('" + file + "'))",
      "with x as materialized (from read_text('" + file + "')) from x",
      "from t, lateral (from read_text('" + file + "'))",
      "from query('from read_text(''" + file + "'')')",
      "from query_table('" + file + "')",
      "from query_table(['" + file + "'])",
      "from json_execute_serialized_sql(json_serialize_sql('from read_text(''" + file + "'')'))",
      "select json_serialize_plan('from read_text(''" + file + "'')')",
      "select getenv('HOME')",
  };
}

// Files, tables, the catalog.
inline std::vector<std::string> Writing(const std::string& directory, const std::string& file,
                                        const std::string& out) {
  return {
      "copy (select 1) to '" + out + "'",
      "copy (select 1) to '" + out + "' (format parquet, use_tmp_file false)",
      "copy t to '" + file + "'",
      "copy t from '" + file + "'",
      "export database '" + out + "'",
      "import database '" + directory + "'",
      "attach '" + out + "' as a",
      "attach '" + file + "' as a (read_only)",
      "attach ':memory:' as a",
      "create table x as from read_text('" + file + "')",
      "create or replace view t as select 2",
      "create macro m() as table from read_text('" + file + "')",
      "insert into t values (2)",
      "update t set c = 2",
      "delete from t",
      "drop view t",
      "alter view t rename to u",
      "truncate t",
      "merge into t using t u on t.c = u.c when matched then delete",
      "checkpoint",
      "from checkpoint()",
      "vacuum",
  };
}

// Settings, extensions, logs, secrets, raw pointers.
inline std::vector<std::string> Reaching(const std::string& directory, const std::string& file,
                                         const std::string& out) {
  return {
      "set threads = 64",
      "set memory_limit = '100GB'",
      "set variable x = (from read_text('" + file + "'))",
      "reset threads",
      "pragma threads = 64",
      "pragma database_list",
      "pragma enable_profiling = 'json'",
      "set profiling_output = '" + out + "'",
      "call enable_logging(storage = 'file', storage_path = '" + out + "')",
      "from enable_logging(storage = 'file', storage_path = '" + out + "')",
      "call duckdb_logs()",
      "from duckdb_logs()",
      "select write_log('x')",
      "from duckdb_secrets()",
      "from which_secret('s3://x', 's3')",
      "create secret s (type s3, key_id 'a', secret 'b')",
      "create persistent secret s (type s3, key_id 'a', secret 'b')",
      "install httpfs",
      "install 'x' from '" + directory + "'",
      "load httpfs",
      "load '" + file + "'",
      "force install httpfs from 'http://example.com'",
      "update extensions",
      "from duckdb_settings()",
      "select current_setting('temp_directory')",
      "from duckdb_databases()",
      "from duckdb_views()",
      "from duckdb_extensions()",
      "from duckdb_temporary_files()",
      "from duckdb_external_file_cache()",
      "select sql from sqlite_master",
      "select * from information_schema.tables",
      "from pg_catalog.pg_settings",
      "from pragma_database_size()",
      "show databases",
      "show all tables",
      "from arrow_scan(1::bigint::pointer, 1::bigint::pointer, 1::bigint::pointer)",
      "from arrow_scan_dumb(1, 2, 3)",
      "from sheaf_scan(0)",
      "from sheaf_scan(-1)",
      "from seq_scan('t')",
  };
}

// Several, hidden, prepared, in transactions.
inline std::vector<std::string> Hiding(const std::string& file, const std::string& out) {
  return {
      "select 1; from read_text('" + file + "')",
      "select 1;;copy t to '" + out + "'",
      "select 1 /* ; */ ; drop view t",
      "explain copy (select 1) to '" + out + "'",
      "explain analyze copy (select 1) to '" + out + "'",
      "prepare p as from read_text('" + file + "')",
      "execute p",
      "begin",
      "begin transaction",
      "commit",
      "use system",
      "detach memory",
      "call pragma_version()",
      "comment on view t is 'x'",
      "create sequence s",
      "create type e as enum ('a')",
      "create schema s",
      "with x as (insert into t values (1) returning *) from x",
      "with x as (copy t to '" + out + "') from x",
      std::string("select 1 \0 from t", 17),
  };
}

// `directory` holds secret.csv, whose one value no statement may tell.
inline std::vector<std::string> HostileStatements(const std::string& directory) {
  const std::string file = directory + "/secret.csv";
  const std::string out = directory + "/out";
  std::vector<std::string> all;
  for (const auto& some : {Reading(directory, file), Writing(directory, file, out),
                           Reaching(directory, file, out), Hiding(file, out)}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace sheaf::duckdb::testing
