/* Planted: the quotes' verifier is pure; it must not include base. */
#include "base/log.h"
