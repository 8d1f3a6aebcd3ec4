#include "sheaf/drivers/duckdb/instance.h"

#include <unordered_set>
#include <utility>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/copy_function_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/pragma_function_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp"
#include "duckdb/common/virtual_file_system.hpp"
#include "duckdb/main/config.hpp"
#include "duckdb/main/database.hpp"
#include "sheaf/drivers/duckdb/parquet_filters.h"

namespace sheaf::duckdb {
namespace {

[[noreturn]] void Refuse() {
  throw ddb::PermissionException("this function cannot be called: SQL reaches its inputs only");
}

ddb::unique_ptr<ddb::FunctionData> RefuseTable(ddb::ClientContext&, ddb::TableFunctionBindInput&,
                                               ddb::vector<ddb::LogicalType>&,
                                               ddb::vector<ddb::string>&) {
  Refuse();
}

ddb::unique_ptr<ddb::TableRef> RefuseReplace(ddb::ClientContext&, ddb::TableFunctionBindInput&) {
  Refuse();
}

ddb::unique_ptr<ddb::FunctionData> RefuseScalar(ddb::ClientContext&, ddb::ScalarFunction&,
                                                ddb::vector<ddb::unique_ptr<ddb::Expression>>&) {
  Refuse();
}

ddb::unique_ptr<ddb::FunctionData> RefuseCopy(ddb::ClientContext&, ddb::CopyFunctionBindInput&,
                                              const ddb::vector<ddb::string>&,
                                              const ddb::vector<ddb::LogicalType>&) {
  Refuse();
}

constexpr const char* kReadParquet = "read_parquet";

// What our views (over permitted files alone) and DuckDB's macros over tables are made of; the gate
// refuses both to the statement itself.
bool KeptInside(const std::string& name) { return name == kReadParquet || name == "query_table"; }

void RefuseFunctions(ddb::SchemaCatalogEntry& schema) {
  schema.Scan(ddb::CatalogType::TABLE_FUNCTION_ENTRY, [](ddb::CatalogEntry& entry) {
    if (TableFunctionAllowed(entry.name)) return;
    if (entry.type != ddb::CatalogType::TABLE_FUNCTION_ENTRY) return;
    for (auto& function : entry.Cast<ddb::TableFunctionCatalogEntry>().functions.functions) {
      if (entry.name == kReadParquet) KeepFloatsOut(function);
      if (KeptInside(entry.name)) continue;
      function.bind = RefuseTable;
      function.bind_replace = RefuseReplace;
      function.bind_operator = nullptr;
    }
  });
  schema.Scan(ddb::CatalogType::SCALAR_FUNCTION_ENTRY, [](ddb::CatalogEntry& entry) {
    if (ScalarFunctionAllowed(entry.name)) return;
    if (entry.type != ddb::CatalogType::SCALAR_FUNCTION_ENTRY) return;
    for (auto& function : entry.Cast<ddb::ScalarFunctionCatalogEntry>().functions.functions) {
      function.SetBindExtendedCallback(nullptr);
      function.SetBindExpressionCallback(nullptr);
      function.SetBindCallback(RefuseScalar);
    }
  });
  schema.Scan(ddb::CatalogType::COPY_FUNCTION_ENTRY, [](ddb::CatalogEntry& entry) {
    auto& function = entry.Cast<ddb::CopyFunctionCatalogEntry>().function;
    function.plan = nullptr;
    function.copy_to_bind = RefuseCopy;
    function.copy_from_bind = nullptr;
  });
}

}  // namespace

Instance::Instance(int threads) {
  ddb::DBConfig config;
  auto jail = ddb::make_uniq<Jail>();
  jail_ = jail.get();
  config.file_system = ddb::make_uniq<ddb::VirtualFileSystem>(std::move(jail));
  const auto no = ddb::Value::BOOLEAN(false);
  config.SetOptionByName("threads", ddb::Value::BIGINT(threads));
  config.SetOptionByName("autoinstall_known_extensions", no);
  config.SetOptionByName("autoload_known_extensions", no);
  config.SetOptionByName("allow_community_extensions", no);
  config.SetOptionByName("allow_persistent_secrets", no);
  config.options.use_temporary_directory = false;
  database_ = std::make_unique<ddb::DuckDB>(nullptr, &config);
  ddb::DBConfig::GetConfig(database()).replacement_scans.clear();
  connection_ = std::make_unique<ddb::Connection>(*database_);
  auto& context = *connection_->context;
  context.RunFunctionInTransaction([&context] {
    ddb::Catalog::GetSystemCatalog(context).ScanSchemas(context, RefuseFunctions);
  });
  Set("parquet_metadata_cache", ddb::Value::BOOLEAN(true));  // A footer is read once a query.
  Set("temp_directory", ddb::Value(""));
  Set("TimeZone", ddb::Value("UTC"));
}

Instance::~Instance() = default;

void Instance::Own(const std::string& sql) {
  auto result = connection_->Query(sql);
  if (result->HasError()) result->ThrowError();
}

void Instance::Set(const char* name, const ddb::Value& value) {
  Own(std::string("SET ") + name + " = " + value.ToSQLString());
}

void Instance::Configure(const QueryLimits& limits, const std::vector<std::string>& files) {
  Set("memory_limit", ddb::Value(std::to_string(limits.memory_max.count) + "B"));
  if (!limits.spill_directory.empty()) {
    jail_->PermitSpill(limits.spill_directory);
    Set("temp_directory", ddb::Value(limits.spill_directory));
    // In the configuration it would be shown and not enforced: set after opening.
    Set("max_temp_directory_size", ddb::Value(std::to_string(limits.spill_max.count) + "B"));
  }
  if (!files.empty()) {
    jail_->PermitReads(std::unordered_set<std::string>(files.begin(), files.end()));
    ddb::vector<ddb::Value> list;
    for (const auto& file : files) list.emplace_back(file);
    Set("allowed_paths", ddb::Value::LIST(ddb::LogicalType::VARCHAR, std::move(list)));
  }
}

void Instance::Lock() {
  Set("enable_external_access", ddb::Value::BOOLEAN(false));
  Set("disabled_filesystems", ddb::Value("HTTPFileSystem"));
  Set("lock_configuration", ddb::Value::BOOLEAN(true));
  jail_->Close();
}

}  // namespace sheaf::duckdb
