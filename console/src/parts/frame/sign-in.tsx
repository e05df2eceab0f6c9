import markUrl from "../../../mark.svg";

export function SignIn() {
  return (
    <main className="sign-in">
      <img src={markUrl} alt="" width="44" height="44" />
      <h1>Sign in to Tidegate</h1>
      <p>
        On the machine where Tidegate runs, ask for a link and open it in this browser. It is good once, for ten
        minutes.
      </p>
      <pre>tidegate token login</pre>
      <button type="button" className="button" onClick={() => location.reload()}>
        I have signed in: read again
      </button>
    </main>
  );
}
