// The door of drivers/http: an HTTP/1.1 server and a small client. Only this room knows Beast.
#pragma once

#include "sheaf/drivers/http/fetch.h"
#include "sheaf/drivers/http/message.h"
#include "sheaf/drivers/http/server.h"
