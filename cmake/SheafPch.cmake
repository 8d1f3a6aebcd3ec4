# One precompiled header for the rooms that speak Arrow; they say `PCH arrow`.
option(SHEAF_PCH "use precompiled headers" ON)
if(SHEAF_LIBFUZZER)
  set(SHEAF_PCH OFF)
endif()
if(SHEAF_PCH)
  add_library(sheaf_pch_arrow STATIC cmake/pch_arrow.cc)
  target_link_libraries(sheaf_pch_arrow PUBLIC sheaf_flags sheaf::arrow sheaf::json)
  target_compile_options(sheaf_pch_arrow PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  target_precompile_headers(sheaf_pch_arrow PRIVATE
    <algorithm> <atomic> <chrono> <cstdint> <functional> <map> <memory> <mutex> <optional> <set>
    <string> <string_view> <unordered_map> <utility> <variant> <vector>
    <arrow/api.h> <arrow/ipc/api.h> <nlohmann/json.hpp>)
endif()
