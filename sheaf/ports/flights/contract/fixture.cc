#include <arrow/api.h>

#include "sheaf/ports/flights/contract/flights_contract.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::flights::contract {

// Whoever links the suite may instantiate it or not.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FlightsContract);

std::shared_ptr<const Command> FlightsContract::Asked(const Json& command) {
  auto parsed = Command::FromJson(command);
  EXPECT_TRUE(parsed.ok()) << parsed.error().message;
  return std::move(parsed).value();
}

Json FlightsContract::Scripted(const Json& spec, const std::string& sink, const Json& more) {
  Json command{{"service", "scripted"}, {"spec", spec}};
  if (!sink.empty()) {
    command["sink"] = more.is_object() ? more : Json::object();
    command["sink"]["path"] = At(sink).ToJson();
  }
  return command;
}

Result<Stream> FlightsContract::Get(const What& what, const Context& context) {
  return flights().Get({.what = what, .on_progress = [](const Json&) {}}, context);
}

Result<Stream> FlightsContract::Run(const Json& command, const Context& context) {
  return Get(Asked(command), context);
}

Result<std::shared_ptr<arrow::Table>> FlightsContract::Read(Result<Stream> stream) {
  SHEAF_TRY(stream);
  return columnar::FromArrow(stream->reader->ToTable());
}

Result<int64_t> FlightsContract::Rows(Result<Stream> stream) {
  SHEAF_ASSIGN(const auto table, Read(std::move(stream)));
  return table->num_rows();
}

Result<std::shared_ptr<arrow::Table>> FlightsContract::ReadPath(const std::string& name) {
  return Read(Get(command::PathRef{At(name), {}}));
}

Result<PutReceipt> FlightsContract::PutRows(const Sink& sink, int64_t rows, int64_t from) {
  auto reader = *arrow::RecordBatchReader::Make({ScriptedRows(from, rows)}, ScriptedSchema());
  return flights().Put(sink, *reader, {});
}

}  // namespace sheaf::flights::contract
