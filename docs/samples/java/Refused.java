import java.io.IOException;

/** The platform refused a request, and sending it again does not help. 平台拒绝，重试无效 */
final class Refused extends IOException {
    private static final long serialVersionUID = 1L;

    /** The status and the reason as the platform gave them. */
    final transient Answer answer;

    Refused(Answer answer) {
        super(answer.refusal());
        this.answer = answer;
    }
}
