#include "sheaf/adapters/store/provenance.h"

#include <utility>

#include "sheaf/wire/command/json.h"

namespace sheaf::store {
namespace {

Error Malformed() { return Fail(Kind::kCorrupt, "the lineage of a flight is malformed"); }

// The rows of a list of lists of `columns` values each.
Result<Json> ParseRows(std::string_view text, size_t columns) {
  if (text.empty()) return Json::array();
  auto parsed = command::ParseJson(text, {.bytes_max = 64 << 20, .values_max = 10'000'000});
  if (!parsed.ok() || !parsed->is_array()) return Malformed();
  for (const Json& row : *parsed) {
    if (!row.is_array() || row.size() != columns || !row[0].is_string()) return Malformed();
  }
  return std::move(*parsed);
}

}  // namespace

std::string EncodeInputs(const std::vector<InputUsed>& inputs) {
  if (inputs.empty()) return "";
  Json rows = Json::array();
  for (const InputUsed& input : inputs) {
    rows.push_back(Json::array({input.name, input.path.ToJson(), input.generation}));
  }
  return rows.dump();
}

Result<std::vector<InputUsed>> DecodeInputs(std::string_view text) {
  SHEAF_ASSIGN(const Json rows, ParseRows(text, 3));
  std::vector<InputUsed> inputs;
  for (const Json& row : rows) {
    if (!row[2].is_number_integer()) return Malformed();
    InputUsed input;
    input.name = row[0].get<std::string>();
    SHEAF_ASSIGN(input.path, Path::FromJson(row[1], "input"));
    input.generation = row[2].get<uint64_t>();
    inputs.push_back(std::move(input));
  }
  return inputs;
}

std::string EncodeSources(const std::vector<SourceToken>& sources) {
  if (sources.empty()) return "";
  Json rows = Json::array();
  for (const SourceToken& source : sources) {
    rows.push_back(Json::array({source.source, source.token}));
  }
  // A token is whatever a source calls one; bytes that are no UTF-8 are replaced.
  return rows.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::vector<SourceToken>> DecodeSources(std::string_view text) {
  SHEAF_ASSIGN(const Json rows, ParseRows(text, 2));
  std::vector<SourceToken> sources;
  for (const Json& row : rows) {
    if (!row[1].is_string()) return Malformed();
    sources.push_back({row[0].get<std::string>(), row[1].get<std::string>()});
  }
  return sources;
}

}  // namespace sheaf::store
