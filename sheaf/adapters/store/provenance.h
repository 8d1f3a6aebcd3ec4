// How a flight was made, as the index's columns keep it: JSON, and nothing at all for nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sheaf/ports/store/store.h"

namespace sheaf::store {

// [["orders", ["raw", "orders"], 17], …]
std::string EncodeInputs(const std::vector<InputUsed>& inputs);
Result<std::vector<InputUsed>> DecodeInputs(std::string_view text);

// [["file:///data/a.parquet", "4711-1700000000"], …]
std::string EncodeSources(const std::vector<SourceToken>& sources);
Result<std::vector<SourceToken>> DecodeSources(std::string_view text);

}  // namespace sheaf::store
