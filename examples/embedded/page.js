// Another server: ?server=https://auth.example.com&tenant=school
const asked = new URLSearchParams(location.search);
const signIn = document.querySelector('firstproof-sign-in');
for (const name of ['server', 'tenant', 'language', 'with', 'view']) {
  if (asked.has(name)) signIn.setAttribute(name, asked.get(name));
}

signIn.addEventListener('firstproof-signed-in', ({ detail }) => {
  // Keep the tokens where your application keeps secrets, or give them to your own server at once; never in an address.
  const { user } = detail;
  const hello = document.querySelector('#hello');
  hello.textContent = `Hello, ${user.first_name ?? user.email ?? user.phone ?? user.telegram_user_id}.`;
  hello.hidden = false;
  signIn.hidden = true;
});
