#pragma once
// What only the one who builds can tell: Swift has no macros with values, and a package has no build script.
//
// swift build -c release -Xcc -DEDGESERVE_COMMIT="$(git rev-parse --short HEAD)"

#ifndef EDGESERVE_COMMIT
#define EDGESERVE_COMMIT unknown
#endif
#define CB_TEXT_OF(token) #token
#define CB_TEXT(macro) CB_TEXT_OF(macro)

/// The commit that was built, or `unknown` when the build was not told.
static inline const char *cb_commit(void) { return CB_TEXT(EDGESERVE_COMMIT); }
