/* web_files: see web_files.h. The assembler copies each file as it is
 * (.incbin); the Makefile makes this one anew when a file changes. Paths are
 * from the repository's root, where make runs. */
#include "verifier/daemon/web_files.h"

#include <string.h>

#define HTML "text/html; charset=utf-8"
#define CSS  "text/css; charset=utf-8"
#define JS   "text/javascript; charset=utf-8"
#define SVG  "image/svg+xml"

/* symbol, name, type; test_web_files holds it against the folder. */
#define WEB_FILES(X)                            \
	X(index_html, "index.html", HTML)       \
	X(style_css, "style.css", CSS)          \
	X(icon_svg, "icon.svg", SVG)            \
	X(app_js, "app.js", JS)                 \
	X(attestation_js, "attestation.js", JS) \
	X(board_js, "board.js", JS)             \
	X(bytes_js, "bytes.js", JS)             \
	X(cbor_js, "cbor.js", JS)               \
	X(chain_js, "chain.js", JS)             \
	X(chart_js, "chart.js", JS)             \
	X(checks_js, "checks.js", JS)           \
	X(cose_js, "cose.js", JS)               \
	X(cosign_js, "cosign.js", JS)           \
	X(der_js, "der.js", JS)                 \
	X(detail_js, "detail.js", JS)           \
	X(document_js, "document.js", JS)       \
	X(dom_js, "dom.js", JS)                 \
	X(ecdsa_js, "ecdsa.js", JS)             \
	X(envelope_js, "envelope.js", JS)       \
	X(established_js, "established.js", JS) \
	X(item_js, "item.js", JS)               \
	X(journal_js, "journal.js", JS)         \
	X(json_js, "json.js", JS)               \
	X(judge_js, "judge.js", JS)             \
	X(key_js, "key.js", JS)                 \
	X(moment_js, "moment.js", JS)           \
	X(policy_js, "policy.js", JS)           \
	X(quorum_js, "quorum.js", JS)           \
	X(refused_js, "refused.js", JS)         \
	X(roots_js, "roots.js", JS)             \
	X(sequence_js, "sequence.js", JS)       \
	X(signed_js, "signed.js", JS)           \
	X(stream_js, "stream.js", JS)           \
	X(table_js, "table.js", JS)             \
	X(tamper_js, "tamper.js", JS)           \
	X(trust_js, "trust.js", JS)             \
	X(trust_view_js, "trust_view.js", JS)   \
	X(verify_js, "verify.js", JS)           \
	X(x509_js, "x509.js", JS)

#define EMBED(symbol, name, type)                     \
	__asm__(".pushsection .rodata\n"              \
		".globl web_" #symbol "\n"            \
		".globl web_" #symbol "_end\n"        \
		".hidden web_" #symbol "\n"           \
		".hidden web_" #symbol "_end\n"       \
		"web_" #symbol ":\n"                  \
		".incbin \"verifier/web/" name "\"\n" \
		"web_" #symbol "_end:\n"              \
		".byte 0\n"                           \
		".popsection\n");                     \
	extern const uint8_t web_##symbol[], web_##symbol##_end[];
WEB_FILES(EMBED)
#undef EMBED

const char web_files_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'";

static struct web_file files[] = {
#define ROW(symbol, name, type) {name, type, web_##symbol, 0},
    WEB_FILES(ROW)
#undef ROW
};
#define FILES (sizeof(files) / sizeof(files[0]))

/* A distance between two symbols is no constant to C. */
static const uint8_t *const ends[] = {
#define END(symbol, name, type) web_##symbol##_end,
    WEB_FILES(END)
#undef END
};

const struct web_file *web_files_at(size_t index)
{
	if (index >= FILES)
		return NULL;
	files[index].len = (size_t)(ends[index] - files[index].bytes);
	return &files[index];
}

const struct web_file *web_files_find(const char *name)
{
	for (size_t i = 0; i < FILES; i++)
		if (strcmp(files[i].name, name) == 0)
			return web_files_at(i);
	return NULL;
}
