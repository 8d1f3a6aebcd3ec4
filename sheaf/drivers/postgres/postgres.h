// The door of drivers/postgres: the only room that knows libpq.
#pragma once

#include "sheaf/drivers/postgres/connection.h"
#include "sheaf/drivers/postgres/sqlstate.h"
#include "sheaf/drivers/postgres/transaction.h"
