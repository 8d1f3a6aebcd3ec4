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
#include "duckdb/main/client_config.hpp"
#include "duckdb/main/config.hpp"
#include "duckdb/main/database.hpp"
#include "duckdb/main/valid_checker.hpp"
#include "duckdb/storage/buffer_manager.hpp"

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

// What our views (over permitted files alone) and DuckDB's macros over tables are made of; the gate
// refuses both to the statement itself.
bool KeptInside(const std::string& name) { return name == "read_parquet" || name == "query_table"; }

void RefuseFunctions(ddb::SchemaCatalogEntry& schema) {
  schema.Scan(ddb::CatalogType::TABLE_FUNCTION_ENTRY, [](ddb::CatalogEntry& entry) {
    if (TableFunctionAllowed(entry.name) || KeptInside(entry.name)) return;
    if (entry.type != ddb::CatalogType::TABLE_FUNCTION_ENTRY) return;
    for (auto& function : entry.Cast<ddb::TableFunctionCatalogEntry>().functions.functions) {
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

Instance::Instance(int threads) : sources_(ddb::make_shared_ptr<SourcesInfo>()) {
  ddb::DBConfig config;
  auto jail = ddb::make_uniq<Jail>();
  jail_ = jail.get();
  config.file_system = ddb::make_uniq<ddb::VirtualFileSystem>(std::move(jail));
  const auto no = ddb::Value::BOOLEAN(false);
  const auto yes = ddb::Value::BOOLEAN(true);
  config.SetOptionByName("threads", ddb::Value::BIGINT(threads));
  config.SetOptionByName("autoinstall_known_extensions", no);
  config.SetOptionByName("autoload_known_extensions", no);
  config.SetOptionByName("allow_community_extensions", no);
  config.SetOptionByName("allow_persistent_secrets", no);
  database_ = std::make_unique<ddb::DuckDB>(nullptr, &config);
  ddb::DBConfig::GetConfig(database()).replacement_scans.clear();
  connection_ = std::make_unique<ddb::Connection>(*database_);
  auto& context = *connection_->context;
  context.RunFunctionInTransaction([&context] {
    ddb::Catalog::GetSystemCatalog(context).ScanSchemas(context, RefuseFunctions);
  });
  RegisterScan(*connection_, sources_);
  Set("temp_directory", ddb::Value(""));
  Set("parquet_metadata_cache", yes);  // A footer is read once a query.
  Set("TimeZone", ddb::Value("UTC"));
  Set("enable_external_access", no);
  Set("disabled_filesystems", ddb::Value("HTTPFileSystem"));
  Set("lock_configuration", yes);
  jail_->Close();
  connection_.reset();
}

Instance::~Instance() = default;

void Instance::Own(const std::string& sql) {
  auto result = connection_->Query(sql);
  if (result->HasError()) result->ThrowError();
}

void Instance::Set(const char* name, const ddb::Value& value) {
  Own(std::string("SET GLOBAL ") + name + " = " + value.ToSQLString());
}

// The configuration is locked for SQL, also for ours: what differs from query to query is set
// behind it. A limit on the spill in the configuration would be shown and not enforced.
void Instance::Begin(const QueryLimits& limits, const std::vector<std::string>& files) {
  ++uses_;
  read_files_ = read_files_ || !files.empty();
  auto& config = ddb::DBConfig::GetConfig(database());
  auto& buffers = ddb::BufferManager::GetBufferManager(database());
  config.options.maximum_memory = static_cast<ddb::idx_t>(limits.memory_max.count);
  buffers.SetMemoryLimit(config.options.maximum_memory);
  const bool spills = !limits.spill_directory.empty();
  config.options.temporary_directory = limits.spill_directory;
  config.options.use_temporary_directory = spills;
  buffers.SetTemporaryDirectory(limits.spill_directory);
  if (spills) {
    config.options.maximum_swap_space = static_cast<ddb::idx_t>(limits.spill_max.count);
    buffers.SetSwapLimit(config.options.maximum_swap_space);
    config.AddAllowedDirectory(limits.spill_directory);
  }
  for (const auto& file : files) config.AddAllowedPath(file);
  jail_->Permit({files.begin(), files.end()}, limits.spill_directory);
  connection_ = std::make_unique<ddb::Connection>(*database_);
  auto& client = connection_->context->config;
  client.enable_progress_bar = true;
  client.print_progress_bar = false;
}

bool Instance::End() {
  connection_.reset();  // Takes the views with it: they are its own temporary ones.
  sources_->sources.clear();
  jail_->Permit({}, {});
  auto& config = ddb::DBConfig::GetConfig(database());
  config.options.allowed_directories.clear();
  config.options.allowed_paths.clear();
  const bool spilled = ddb::BufferManager::GetBufferManager(database()).GetMaxSwap().IsValid();
  return !spilled && !read_files_ && uses_ < kUsesMax &&
         !ddb::ValidChecker::IsInvalidated(database());
}

}  // namespace sheaf::duckdb
