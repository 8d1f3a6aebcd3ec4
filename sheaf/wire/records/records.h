// The door of wire/records: tables as data, and everything that is computed from them.
#pragma once

#include "sheaf/wire/records/arrow_schema.h"
#include "sheaf/wire/records/ddl.h"
#include "sheaf/wire/records/dialect.h"
#include "sheaf/wire/records/migration.h"
#include "sheaf/wire/records/page.h"
#include "sheaf/wire/records/property.h"
#include "sheaf/wire/records/row.h"
#include "sheaf/wire/records/row_batch.h"
#include "sheaf/wire/records/row_json.h"
#include "sheaf/wire/records/tables.h"
