#include "sheaf/adapters/persistence/postgres_roles.h"

#include "sheaf/adapters/persistence/own_tables.h"
#include "sheaf/adapters/persistence/postgres_session.h"
#include "sheaf/adapters/persistence/sql_dialect.h"
#include "sheaf/adapters/persistence/sql_look.h"
#include "sheaf/base/core/check.h"
#include "sheaf/drivers/postgres/transaction.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::persistence {
namespace {

using postgres::Connection;
using postgres::Transaction;
using Bound = postgres::Value;  // The room has a Value of its own.

Result<int64_t> Count(Connection& connection, const Sql& sql,
                      std::initializer_list<Bound> values = {}) {
  SHEAF_ASSIGN(const auto rows, connection.Query(sql, std::span(values.begin(), values.size())));
  SHEAF_CHECK(rows.size() == 1);
  SHEAF_ASSIGN(const Bound value, rows.At(0, 0));
  return std::get<int64_t>(value);
}

// How many there are of the condition.
Result<bool> Is(Connection& connection, const Sql& condition,
                std::initializer_list<Bound> values = {}) {
  SHEAF_ASSIGN(const int64_t found,
               Count(connection, Sql("SELECT count(*) FROM pg_catalog.pg_roles WHERE ") + condition,
                     values));
  return found > 0;
}

Sql Quoted(std::string_view name) { return Sql::Name(name); }

Sql PublicColumns(const records::Table& table) {
  Sql names;
  for (const auto& property : table.properties) {
    if (!table.IsColumn(property) || property.is_private) continue;
    if (!names.empty()) names += ",";
    names += Sql::Name(property.column);
  }
  return names;
}

int64_t CountPublicColumns() {
  int64_t count = 0;
  for (const auto* table : records::kTables) {
    for (const auto& property : table->properties) {
      if (table->IsColumn(property) && !property.is_private) ++count;
    }
  }
  return count;
}

// Columns of the owner's tables that guest may read: all, and those named in the meta-model.
Result<bool> IsGranted(Connection& connection) {
  const Sql readable(
      "SELECT count(*) FROM pg_catalog.pg_attribute a "
      "JOIN pg_catalog.pg_class c ON c.oid=a.attrelid "
      "JOIN pg_catalog.pg_roles r ON r.oid=c.relowner AND r.rolname='sheaf' "
      "WHERE c.relnamespace=(SELECT oid FROM pg_catalog.pg_namespace "
      "WHERE nspname=pg_catalog.current_schema()) AND c.relkind='r' AND a.attnum>0 "
      "AND NOT a.attisdropped AND "
      "pg_catalog.has_column_privilege('guest',c.oid,a.attnum,'SELECT')");
  SHEAF_ASSIGN(const bool creates, Is(connection, Sql("rolname='guest' AND "
                                                      "pg_catalog.has_schema_privilege(oid,"
                                                      "pg_catalog.current_schema(),'CREATE')")));
  if (creates) return false;
  SHEAF_ASSIGN(const int64_t all, Count(connection, readable));
  if (all != CountPublicColumns()) return false;
  for (const auto* table : records::kTables) {
    for (const auto& property : table->properties) {
      if (!table->IsColumn(property) || !property.is_private) continue;
      const Sql sql = readable + " AND c.relname=$1 AND a.attname=$2";
      SHEAF_ASSIGN(const int64_t leaks, Count(connection, sql, {table->name, property.column}));
      if (leaks > 0) return false;
    }
  }
  return true;
}

Result<bool> MayMakeRoles(Connection& connection) {
  return Is(connection, Sql("rolname=current_user AND (rolsuper OR rolcreaterole)"));
}

// Inside a transaction. Values travel bound; the server itself quotes them into its statement.
Status AlterPassword(Connection& connection, const std::string& role, const std::string& password) {
  SHEAF_ASSIGN(const std::string verifier, connection.Verifier(role, password));
  const Bound values[] = {std::string_view(role), std::string_view(verifier)};
  SHEAF_TRY(connection.Run(Sql("SELECT set_config('sheaf.role',$1,true),"
                               "set_config('sheaf.verifier',$2,true)"),
                           values));
  SHEAF_TRY(connection.Run(
      Sql("DO $do$ BEGIN EXECUTE pg_catalog.format('ALTER ROLE %I PASSWORD %L',"
          "pg_catalog.current_setting('sheaf.role'),pg_catalog.current_setting('sheaf.verifier')); "
          "END $do$")));
  SHEAF_TRY(connection.Run(Sql("SELECT set_config('sheaf.verifier','',true)")));
  return Done();
}

// A role that somebody else made under the name must not be stronger than ours.
Status CheckRole(Connection& admin, std::string_view name) {
  SHEAF_ASSIGN(
      const bool strong,
      Is(admin, Sql("rolname=$1 AND (rolsuper OR rolcreaterole OR rolbypassrls)"), {name}));
  if (!strong) return Done();
  return Fail(Kind::kConflict, admin.where() + ": there is a role \"" + std::string(name) +
                                   "\" already, and it may more than Sheaf's should");
}

Status MakeRole(Connection& admin, const std::string& name, const std::string& password) {
  SHEAF_TRY(admin.Run(Sql("CREATE ROLE ") + Quoted(name) +
                      " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"));
  return AlterPassword(admin, name, password);
}

// The owner's place, and the door through which it changes guest's password.
Status GiveSchema(Connection& admin) {
  SHEAF_ASSIGN(const bool none, Is(admin, Sql("pg_catalog.current_schema() IS NULL")));
  if (none) {
    return Fail(Kind::kNotReady,
                admin.where() +
                    ": the search path names no schema that is there; name one with "
                    "?options=-csearch_path%3DNAME");
  }
  SHEAF_TRY(admin.Run(
      Sql("DO $do$ BEGIN "
          "EXECUTE pg_catalog.format('GRANT USAGE, CREATE ON SCHEMA %I TO \"sheaf\"',"
          "pg_catalog.current_schema()); "
          "EXECUTE pg_catalog.format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC',"
          "pg_catalog.current_schema()); "
          "EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %I TO \"guest\"',"
          "pg_catalog.current_schema()); "
          "EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO \"sheaf\", \"guest\"',"
          "pg_catalog.current_database()); END $do$")));
  SHEAF_TRY(admin.Run(
      Sql("CREATE OR REPLACE FUNCTION \"sheaf_guest_password\"(verifier text) RETURNS void "
          "LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog,pg_temp AS $body$ BEGIN "
          "IF verifier IS NULL OR verifier !~ "
          "'^SCRAM-SHA-256[$][0-9]+:[A-Za-z0-9+/=]+[$][A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' "
          "THEN RAISE EXCEPTION 'no SCRAM-SHA-256 verifier'; END IF; "
          "EXECUTE format('ALTER ROLE %I PASSWORD %L','guest',verifier); END $body$")));
  SHEAF_TRY(admin.Run(Sql("REVOKE ALL ON FUNCTION \"sheaf_guest_password\"(text) FROM PUBLIC")));
  SHEAF_TRY(
      admin.Run(Sql("GRANT EXECUTE ON FUNCTION \"sheaf_guest_password\"(text) TO \"sheaf\"")));
  return Done();
}

// Tables that a node made under another name before there were roles.
Status GiveTables(Connection& admin) {
  std::vector<const records::Table*> all(kOwnTables.begin(), kOwnTables.end());
  all.insert(all.end(), records::kTables.begin(), records::kTables.end());
  for (const auto* table : all) {
    SHEAF_TRY(admin.Run(Sql("ALTER TABLE IF EXISTS ") + Sql::Name(table->name) + " OWNER TO " +
                        Quoted(kOwnerRole)));
  }
  return Done();
}

}  // namespace

Result<RolesSeen> LookAtRoles(Connection& connection) {
  RolesSeen seen;
  PostgresSession session(connection);
  SHEAF_ASSIGN(seen.schema, SchemaVersionIn(session));
  SHEAF_ASSIGN(seen.owner, Is(connection, Sql("rolname=$1 AND rolcanlogin"), {kOwnerRole}));
  SHEAF_ASSIGN(seen.guest, Is(connection, Sql("rolname=$1 AND rolcanlogin"), {kGuestRole}));
  SHEAF_ASSIGN(seen.superuser, Is(connection, Sql("oid=10 AND rolcanlogin")));
  if (!seen.owner || !seen.guest) return seen;
  SHEAF_ASSIGN(seen.granted, IsGranted(connection));
  return seen;
}

Result<std::vector<std::string>> MakeRoles(Connection& admin,
                                           const std::map<std::string, std::string>& passwords) {
  SHEAF_ASSIGN(const bool may, MayMakeRoles(admin));
  if (!may) {
    return Fail(Kind::kForbidden, admin.where() +
                                      ": this user may not make roles; name a superuser: --backend "
                                      "postgresql://postgres@…");
  }
  SHEAF_ASSIGN(auto transaction, Transaction::Begin(admin, Transaction::Mode::kWrite));
  SHEAF_TRY(admin.Run(WaitingForOthers(records::Dialect::kPostgres)));
  std::vector<std::string> made;
  for (const std::string_view name : {kOwnerRole, kGuestRole}) {
    SHEAF_TRY(CheckRole(admin, name));
    SHEAF_ASSIGN(const bool there, Is(admin, Sql("rolname=$1"), {name}));
    if (there) continue;
    const auto password = passwords.find(std::string(name));
    SHEAF_CHECK(password != passwords.end());
    SHEAF_TRY(MakeRole(admin, password->first, password->second));
    made.emplace_back(name);
  }
  // Who is no superuser takes on only roles that it belongs to.
  SHEAF_ASSIGN(const bool super, Is(admin, Sql("rolname=current_user AND rolsuper")));
  if (!super) SHEAF_TRY(admin.Run(Sql("GRANT \"sheaf\" TO CURRENT_USER")));
  SHEAF_TRY(GiveSchema(admin));
  SHEAF_TRY(GiveTables(admin));
  SHEAF_TRY(transaction.Commit());
  return made;
}

Status GrantToGuest(Connection& owner) {
  SHEAF_ASSIGN(auto transaction, Transaction::Begin(owner, Transaction::Mode::kWrite));
  for (const auto* table : records::kTables) {
    SHEAF_TRY(owner.Run(Sql("REVOKE ALL ON ") + Sql::Name(table->name) + " FROM PUBLIC," +
                        Quoted(kGuestRole)));
    SHEAF_TRY(owner.Run(Sql("GRANT SELECT(") + PublicColumns(*table) + ") ON " +
                        Sql::Name(table->name) + " TO " + Quoted(kGuestRole)));
  }
  return transaction.Commit();
}

Status SetPassword(Connection& connection, const std::string& role, const std::string& password) {
  SHEAF_ASSIGN(const bool may, MayMakeRoles(connection));
  SHEAF_ASSIGN(const bool there, Is(connection, Sql("rolname=$1"), {std::string_view(role)}));
  if (!there) {
    return Fail(Kind::kNotReady, connection.where() + ": there is no role \"" + role +
                                     "\"; `sheaf db create` makes it");
  }
  SHEAF_ASSIGN(auto transaction, Transaction::Begin(connection, Transaction::Mode::kWrite));
  if (may || role != kGuestRole) {
    SHEAF_TRY(AlterPassword(connection, role, password));
  } else {
    SHEAF_ASSIGN(const std::string verifier, connection.Verifier(role, password));
    const Bound values[] = {std::string_view(verifier)};
    SHEAF_TRY(connection.Run(Sql("SELECT \"sheaf_guest_password\"($1)"), values));
  }
  return transaction.Commit();
}

Status LockSuperuser(Connection& admin) {
  SHEAF_TRY(
      admin.Run(Sql("DO $do$ BEGIN EXECUTE pg_catalog.format('ALTER ROLE %I NOLOGIN',"
                    "(SELECT rolname FROM pg_catalog.pg_roles WHERE oid=10)); END $do$")));
  return Done();
}

Status CloseDatabase(Connection& admin) {
  SHEAF_TRY(admin.Run(
      Sql("DO $do$ BEGIN "
          "EXECUTE pg_catalog.format('REVOKE ALL ON DATABASE %I FROM PUBLIC',"
          "pg_catalog.current_database()); "
          "EXECUTE pg_catalog.format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO \"sheaf\"',"
          "pg_catalog.current_database()); END $do$")));
  return Done();
}

}  // namespace sheaf::persistence
