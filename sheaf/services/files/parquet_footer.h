// The end of a Parquet file, looked at before anything is believed or allocated.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sheaf/base/core/core.h"
#include "sheaf/services/files/source_file.h"

namespace sheaf::files {

inline constexpr int64_t kFooterBytesMax = 64 << 20;
// Structures a footer may describe (columns times row groups, mostly): each takes about 1 KiB
// once it is decoded.
inline constexpr int64_t kFooterStructsMax = 1'000'000;
inline constexpr int kThriftDepthMax = 24;

// The serialized metadata. kFailed: no Parquet at all; kCorrupt: a length that cannot be;
// kUnsupported: encrypted; kExhausted: above the limits.
Result<std::shared_ptr<arrow::Buffer>> ReadFooter(SourceFile& file, const std::string& name);

// How many structures a Thrift compact message holds; negative when it is malformed, deeper than
// kThriftDepthMax, or cut short. Allocates nothing.
int64_t CountThriftStructs(std::string_view message);

}  // namespace sheaf::files
