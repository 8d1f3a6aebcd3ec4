# Foreign libraries, each as one target. Which room may include what is said in sheaf/floors.toml.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# --- Arrow: the wheel in the project's environment, or an installed one -----------------------
if(SHEAF_ARROW STREQUAL "wheel")
  file(GLOB wheel "${SHEAF_VENV}/lib/python3*/site-packages/pyarrow")
  if(NOT wheel OR NOT EXISTS "${wheel}/libarrow.so")
    message(FATAL_ERROR "no Arrow wheel in ${SHEAF_VENV}: run tools/setup")
  endif()
  function(sheaf_wheel_library name file)
    add_library(sheaf::${name} SHARED IMPORTED GLOBAL)
    set_target_properties(sheaf::${name} PROPERTIES IMPORTED_LOCATION "${wheel}/lib${file}.so"
                          INTERFACE_INCLUDE_DIRECTORIES "${wheel}/include")
    target_link_libraries(sheaf::${name} INTERFACE ${ARGN})
  endfunction()
  sheaf_wheel_library(arrow arrow)
  sheaf_wheel_library(arrow_compute arrow_compute sheaf::arrow)
  sheaf_wheel_library(parquet parquet sheaf::arrow)
  sheaf_wheel_library(arrow_acero arrow_acero sheaf::arrow_compute sheaf::arrow)
  sheaf_wheel_library(arrow_dataset arrow_dataset sheaf::arrow_acero sheaf::parquet sheaf::arrow)
  sheaf_wheel_library(arrow_flight arrow_flight sheaf::arrow)
  if(EXISTS "${wheel}/libarrow_s3.so")
    sheaf_wheel_library(arrow_s3 arrow_s3 sheaf::arrow)
  endif()
else()
  function(sheaf_installed_library name package)
    find_package(${package} CONFIG REQUIRED)
    add_library(sheaf::${name} INTERFACE IMPORTED GLOBAL)
    target_link_libraries(sheaf::${name} INTERFACE ${ARGN})
  endfunction()
  sheaf_installed_library(arrow Arrow Arrow::arrow_shared)
  sheaf_installed_library(arrow_compute ArrowCompute ArrowCompute::arrow_compute_shared)
  sheaf_installed_library(parquet Parquet Parquet::parquet_shared)
  sheaf_installed_library(arrow_acero ArrowAcero ArrowAcero::arrow_acero_shared)
  sheaf_installed_library(arrow_dataset ArrowDataset ArrowDataset::arrow_dataset_shared)
  sheaf_installed_library(arrow_flight ArrowFlight ArrowFlight::arrow_flight_shared)
endif()

# --- DuckDB: library and headers of one version, put there by tools/setup ----------------------
if(EXISTS "${SHEAF_DEPS}/duckdb/lib/libduckdb.so")
  add_library(sheaf::duckdb SHARED IMPORTED GLOBAL)
  set_target_properties(sheaf::duckdb PROPERTIES
                        IMPORTED_LOCATION "${SHEAF_DEPS}/duckdb/lib/libduckdb.so"
                        INTERFACE_INCLUDE_DIRECTORIES "${SHEAF_DEPS}/duckdb/include")
else()
  message(FATAL_ERROR "no DuckDB in ${SHEAF_DEPS}: run tools/setup")
endif()

# --- The rest comes from the system -------------------------------------------------------------
function(sheaf_pkg_library name)
  pkg_check_modules(PC_${name} REQUIRED QUIET ${ARGN})
  set(libraries ${PC_${name}_LDFLAGS})
  list(REMOVE_DUPLICATES libraries)
  add_library(sheaf::${name} INTERFACE IMPORTED GLOBAL)
  target_compile_options(sheaf::${name} INTERFACE ${PC_${name}_CFLAGS_OTHER})
  target_include_directories(sheaf::${name} INTERFACE ${PC_${name}_INCLUDE_DIRS})
  target_link_libraries(sheaf::${name} INTERFACE ${libraries} Threads::Threads)
endfunction()

find_program(SHEAF_GRPC_PLUGIN grpc_cpp_plugin REQUIRED)
find_program(SHEAF_PROTOC protoc REQUIRED)
add_executable(protobuf::protoc IMPORTED GLOBAL)
set_target_properties(protobuf::protoc PROPERTIES IMPORTED_LOCATION "${SHEAF_PROTOC}")
pkg_check_modules(PC_grpc REQUIRED QUIET grpc++ protobuf)
list(REMOVE_DUPLICATES PC_grpc_LIBRARIES)
add_library(sheaf::grpc INTERFACE IMPORTED GLOBAL)
# Reflection registers itself from a static initialiser that nothing refers to by name.
target_link_libraries(sheaf::grpc INTERFACE
                      -Wl,--push-state,--no-as-needed grpc++_reflection -Wl,--pop-state
                      ${PC_grpc_LIBRARIES} Threads::Threads)

sheaf_pkg_library(sqlite sqlite3)
sheaf_pkg_library(postgres libpq)
sheaf_pkg_library(sodium libsodium)
sheaf_pkg_library(openssl openssl)
sheaf_pkg_library(xxhash libxxhash)
sheaf_pkg_library(spdlog spdlog)
sheaf_pkg_library(prometheus prometheus-cpp-pull prometheus-cpp-core)

find_package(nlohmann_json REQUIRED CONFIG)
add_library(sheaf::json INTERFACE IMPORTED GLOBAL)
target_link_libraries(sheaf::json INTERFACE nlohmann_json::nlohmann_json)
find_package(CLI11 REQUIRED CONFIG)
add_library(sheaf::cli11 INTERFACE IMPORTED GLOBAL)
target_link_libraries(sheaf::cli11 INTERFACE CLI11::CLI11)
add_library(sheaf::toml INTERFACE IMPORTED GLOBAL)  # toml++ is headers only, in a system path.

# Boost 1.81: Beast and Asio are headers only; coroutines need Boost.Context nowhere (C++20 ones).
find_package(Boost 1.81 REQUIRED)
add_library(sheaf::asio INTERFACE IMPORTED GLOBAL)
target_link_libraries(sheaf::asio INTERFACE Boost::headers sheaf::openssl Threads::Threads)
target_compile_definitions(sheaf::asio INTERFACE BOOST_ASIO_NO_DEPRECATED
                           BOOST_ASIO_DISABLE_BOOST_COROUTINE)

find_package(GTest REQUIRED CONFIG)
find_package(benchmark REQUIRED CONFIG)
add_library(sheaf::benchmark INTERFACE IMPORTED GLOBAL)
target_link_libraries(sheaf::benchmark INTERFACE benchmark::benchmark)
foreach(target GTest::gtest GTest::gmock GTest::gtest_main)
  set_target_properties(${target} PROPERTIES IMPORTED_GLOBAL TRUE)
endforeach()
