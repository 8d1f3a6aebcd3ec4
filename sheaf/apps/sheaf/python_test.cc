// PLAN  the program is the call, whole · values are Python's · text of several lines is readable
//       and the same

#include "sheaf/apps/sheaf/python.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

using ::testing::HasSubstr;

TEST(PythonTest, QueryIsAWholeProgram) {
  const Json command = Json::parse(R"({
    "service": "sql", "spec": {"sql": "select *\nfrom o\n", "params": [1, 2.0, null, true]},
    "inputs": {"o": {"path": ["raw", "orders"]}}})");
  EXPECT_EQ(QueryAsPython("grpc://127.0.0.1:8815", command),
            "import json\n"
            "import pyarrow as pa\n"
            "import pyarrow.flight as fl\n"
            "\n"
            "client = fl.connect(\"grpc://127.0.0.1:8815\")\n"
            "command = {\n"
            "    \"inputs\": {\n"
            "        \"o\": {\"path\": [\"raw\", \"orders\"]},\n"
            "    },\n"
            "    \"service\": \"sql\",\n"
            "    \"spec\": {\n"
            "        \"params\": [1, 2.0, None, True],\n"
            "        \"sql\": (\"select *\\n\"\n"
            "         \"from o\\n\"),\n"
            "    },\n"
            "}\n"
            "descriptor = fl.FlightDescriptor.for_command(json.dumps(command))\n"
            "info = client.get_flight_info(descriptor)\n"
            "print(json.loads(info.app_metadata))\n"
            "table = pa.concat_tables(\n"
            "    [client.do_get(endpoint.ticket).read_all() for endpoint in info.endpoints])\n"
            "print(table)\n");
}

TEST(PythonTest, GetNamesThePath) {
  EXPECT_THAT(GetAsPython("grpc://h:1", {Path::Make({"raw", "a \"b\""}).value(), {}}, {}),
              HasSubstr(R"(fl.FlightDescriptor.for_path("raw", "a \"b\""))"));
}

TEST(PythonTest, GetKeepsColumnsAndGeneration) {
  const Path path = Path::Make({"raw", "n"}).value();
  const std::string columns = GetAsPython("grpc://h:1", {path, {}}, {"n_name", "n\"x"});
  EXPECT_THAT(columns, HasSubstr("table = table.select([\"n_name\", \"n\\\"x\"])\nprint(table)"));
  const std::string one = GetAsPython("grpc://h:1", {path, 2}, {});
  EXPECT_THAT(one, HasSubstr("\"generation\": 2"));
  EXPECT_THAT(one, HasSubstr("client.do_get(ticket).read_all()\nprint(table)"));
}

TEST(PythonTest, TextStaysTheSame) {
  const Json command{{"service", "s"}, {"spec", {{"sql", "a\n\nb'\"\\ Grüße"}, {"x", 1}}}};
  EXPECT_THAT(QueryAsPython("grpc://h:1", command),
              HasSubstr("(\"a\\n\"\n         \"\\n\"\n         \"b'\\\"\\\\ Grüße\")"));
}

}  // namespace
}  // namespace sheaf::app
