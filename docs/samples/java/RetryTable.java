import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/** Status → retry: what follows from a refusal, see docs/errors.md. 状态码与重试对照 */
final class RetryTable {
    /** How often one batch is sent at most. 最多发送次数 */
    static final int ATTEMPTS = 10;

    private static final double FIRST_MILLIS = 200;
    private static final double LONGEST_MILLIS = 10_000;
    private static final Set<Integer> LATER = Set.of(408, 429, 500, 502, 503, 504);
    private static final Set<String> RENEW = Set.of("UNAUTHENTICATED", "NONCE_REUSED", "BODY_DIGEST_MISMATCH");

    enum Verdict {
        /** Once more, with a new token or a new signature. 更新凭证后重试一次 */
        RENEW,
        /** Not stored, or nobody knows: wait, then send the same ids again. 等待后以相同标识重发 */
        LATER,
        /** Nothing was stored, and the same request cannot succeed: correct it. 须改正，重试无效 */
        NEVER
    }

    private RetryTable() {}

    /** What follows from an answer whose status is not 200. */
    static Verdict verdict(Answer answer) {
        if (RENEW.contains(answer.reason())) {
            return Verdict.RENEW;
        }
        return LATER.contains(answer.status) ? Verdict.LATER : Verdict.NEVER;
    }

    /** How long to wait after that many failures, from 1: never less than asked for, and never all at once. */
    static long delayMillis(int failures, long askedMillis) {
        double backoff = Math.min(LONGEST_MILLIS, FIRST_MILLIS * Math.pow(2, failures - 1));
        double chance = ThreadLocalRandom.current().nextDouble();
        return askedMillis + (long) (backoff * (1 + chance) / 2);
    }
}
