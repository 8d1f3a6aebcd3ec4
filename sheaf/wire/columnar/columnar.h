// The door of wire/columnar: record batches and Arrow's errors in Sheaf's words.
#pragma once

#include "sheaf/wire/columnar/arrow_error.h"
#include "sheaf/wire/columnar/batch.h"
