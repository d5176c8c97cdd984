/* Saves another state each time. */
#define SAVED matcher->learned + matcher->calls++
#include "base.h"
