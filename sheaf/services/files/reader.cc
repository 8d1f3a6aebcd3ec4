#include "sheaf/services/files/reader.h"

#include <arrow/api.h>

#include <set>
#include <utility>

#include "sheaf/services/files/errors.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::files {
namespace {

constexpr std::string_view kExtensionKeys = "ARROW:extension:";

std::shared_ptr<arrow::Field> CleanField(const arrow::Field& field) {
  std::vector<std::string> keys, values;
  const auto& metadata = field.metadata();
  for (int64_t n = 0; metadata != nullptr && n < metadata->size(); ++n) {
    if (!metadata->key(n).starts_with(kExtensionKeys)) continue;
    keys.push_back(metadata->key(n));
    values.push_back(metadata->value(n));
  }
  const auto kept = keys.empty() ? nullptr : arrow::key_value_metadata(keys, values);
  return arrow::field(field.name(), field.type(), field.nullable(), kept);
}

}  // namespace

Result<Schema> CleanSchema(const arrow::Schema& schema, const std::string& file) {
  std::set<std::string_view> names;
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    if (!names.insert(field->name()).second) {
      return Fail(Kind::kFailed,
                  "'" + file + "' has two columns '" + field->name().substr(0, 100) + "'");
    }
    fields.push_back(CleanField(*field));
  }
  return arrow::schema(std::move(fields));
}

Error ReadError(const arrow::Status& status, const SourceFile& file, const std::string& name,
                const std::string& where) {
  if (Status reason = file.context().Check(); !reason.ok()) return std::move(reason).error();
  Error error = columnar::FromArrow(status, Kind::kCorrupt);
  if (error.kind != Kind::kCorrupt) return std::move(error).In("'" + name + "'");
  return Damaged(name, where, error.message);
}

Result<std::unique_ptr<Reader>> OpenReader(const std::shared_ptr<SourceFile>& file,
                                           const ReadPlan& plan) {
  if (file->size() == 0) return EmptyFile(plan.name);
  switch (plan.facts.format) {
    case Format::kParquet: return OpenParquet(file, plan);
    case Format::kCsv: return OpenCsv(file, plan);
    case Format::kJson: return OpenJson(file, plan);
    case Format::kArrow: return OpenIpc(file, plan);
    case Format::kOrc: return OpenOrc(file, plan);
  }
  __builtin_unreachable();
}

}  // namespace sheaf::files
