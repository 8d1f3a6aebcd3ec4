// The door of drivers/sqlite: the only room that knows SQLite exists.
#pragma once

#include "sheaf/drivers/sqlite/database.h"
