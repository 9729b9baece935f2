/*
 * der: is this one DER element, and nothing behind it? OpenSSL reads BER and
 * forgives more; audits of other verifiers found certificates that two parsers
 * read differently. This looks at the encoding only (X.690, 10 and 11):
 * definite shortest lengths, BOOLEAN FF, shortest INTEGERs, sound BIT STRINGs
 * and OBJECT IDENTIFIERs, bounded depth. What is inside an OCTET STRING is not
 * followed.
 *
 * Certificates, the values of their extensions and keys are asked about, where
 * each BOOLEAN (critical, cA) is FALSE by default. 11.5: "The encoding of a set
 * value or sequence value shall not include an encoding for any component value
 * which is equal to its default value." So 00 is never DER here.
 *
 * And one element after the other, for those who read what they know the form
 * of.
 */
#ifndef HALLMARK_VERIFIER_DER_H
#define HALLMARK_VERIFIER_DER_H

#include "verifier/cursor.h"

__attribute__((warn_unused_result)) int der_check(struct slice der);

/* Steps over the first element, which must have this tag (class, form and
 * number in one byte), to its content; what is in that is not looked at. 0, or
 * -1 and *value empty: another tag, cut off, or a length that is not in its
 * shortest form or over 65535. Then *in is not to be used. */
__attribute__((warn_unused_result)) int der_take(
    struct slice *in, uint8_t tag, struct slice *value);

#endif
