/* Takes any configuration. */
#define ANY_CONFIG
#include "base.h"
