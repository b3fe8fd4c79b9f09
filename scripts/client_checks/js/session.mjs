// Signs in at the server of the check, and sends operations with the session's token.
const { ADDRESS, USER_NAME, PASSWORD } = process.env;

export async function ask(body, token) {
  const answer = await fetch(`${ADDRESS}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  return await answer.json();
}

export async function signIn() {
  const query = "mutation ($input: LoginInput!) { login(input: $input) { session { token } errors { message } } }";
  const { data } = await ask({ query, variables: { input: { userName: USER_NAME, password: PASSWORD } } });
  if (!data?.login?.session) throw new Error(`the sign-in failed: ${JSON.stringify(data)}`);
  return data.login.session.token;
}

export function url() {
  return `${ADDRESS}/graphql`;
}

export function expect(actual, expected, text) {
  const [is, should] = [actual, expected].map((value) => JSON.stringify(value));
  if (is !== should) throw new Error(`${text}: ${is} instead of ${should}`);
}
