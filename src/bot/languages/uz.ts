import type { BotWords } from '../words.ts';

export const uzbek: BotWords = {
  description:
    'Men kirish kodlarini yuboraman va qayerda kirganingizni koʻrsataman. Sizga yoza olishim uchun «Start»ni bosing.',
  shortDescription: 'Kirish kodlari va qurilmalaringiz.',
  commands: {
    start: 'Boshlash',
    verify: 'Kod bilan kirish',
    devices: 'Qayerda kirgansiz',
    name: 'Bu qurilmani nomlash',
    logout: 'Shu yerda chiqish',
    help: 'Nima qila olaman',
  },
  unknown: 'Tushunmadim. /help nima qila olishimni koʻrsatadi.',
  privateOnly: 'Men faqat shaxsiy chatda ishlayman: menga oʻsha yerda yozing.',
  notSignedIn: 'Siz bu chatda kirmagansiz. Saytda kod soʻrang va uni menga /verify bilan yuboring.',
  start: {
    greeting: 'Salom, {{name}}! Men {{tenant}} botiman: sizga kirish kodlarini yuboraman.',
    yourId: 'Kirish sahifasi uchun Telegram identifikatoringiz: {{id}}',
    copyId: 'Identifikatordan nusxa olish',
    unknownLink:
      'Bu havola ishlamaydi (yoki endi ishlamaydi). Uni olgan joyingizga qaytib, qaytadan boshlang.',
  },
  help: [
    'Nima qila olaman:',
    '{{auth}}/verify 123456 – men yuborgan kod bilan kirish',
    '/devices – qayerda kirganingizni koʻrish va sizniki boʻlmaganini tugatish',
    '/name Mening telefonim – bu qurilmani nomlash',
    '/logout – shu chatda chiqish',
    '',
    'Kod va tokenni hech kimga bermang. {{tenant}}dan hech kim ularni soʻramaydi.',
  ].join('\n'),
  verify: {
    ask: 'Kodni buyruqdan keyin yuboring: /verify 123456',
    created: '{{tenant}}da hisobingiz yaratildi va siz kirdingiz.',
    signedIn: 'Siz {{tenant}}ga kirdingiz.',
    token: 'Seans tokeningiz. U kimda boʻlsa, oʻsha siz hisoblanadi: faqat kirmoqchi boʻlgan joyga qoʻying.',
    copyToken: 'Tokendan nusxa olish',
  },
  refusals: {
    INVALID_CODE: 'Kod notoʻgʻri. Tekshirib, qayta urinib koʻring.',
    CODE_EXPIRED: 'Kodning muddati tugadi. Yangisini soʻrang.',
    VERIFICATION_NOT_FOUND:
      'Bu yerda kod kutmayapman. U ishlatilgan yoki soʻragan joyingizga kerak: oʻsha yerga yozing yoki yangisini soʻrang.',
    TOO_MANY_ATTEMPTS: 'Notoʻgʻri kodlar juda koʻp. Biroz kutib, yangisini soʻrang.',
    RATE_LIMITED: 'Juda tez. Biroz kutib, qayta urinib koʻring.',
    ACCOUNT_DISABLED: 'Bu hisob yopilgan.',
    ACCOUNT_NOT_FOUND: 'Bu yerda hisobingiz yoʻq va yangilari ochilmaydi.',
    REGISTRATION_CLOSED: 'Bu yerda hisobingiz yoʻq va yangilari ochilmaydi.',
    RESEND_TOO_SOON: 'U yerga hozirgina kod yuborilgan. Yangisini {{wait}}dan keyin yuborish mumkin.',
    COUNTRY_NOT_ALLOWED: 'Bu mamlakat raqamlariga bu yerda xizmat koʻrsatilmaydi.',
    CHANNEL_UNAVAILABLE:
      'Hozir u yerga kod yuborib boʻlmaydi. Keyinroq urinib koʻring yoki boshqa yoʻl bilan kiring.',
    INVALID_REQUEST: 'Kod faqat raqamlardan iborat.',
    other: 'Boʻlmadi. Birozdan keyin qayta urinib koʻring.',
  },
  attemptsLeft: 'Qolgan urinishlar: {{count}}.',
  devices: {
    list: 'Siz bu yerlarda kirgansiz:',
    none: 'Siz hech qayerda kirmagansiz.',
    thisChat: 'shu chat',
    lastSeen: 'oxirgi marta {{time}}',
    end: '{{number}}-ni tugatish',
    endOthers: 'Qolganlarini tugatish',
    confirmOne: '«{{name}}» tugatilsinmi?',
    confirmOthers: 'Shu chatdan boshqa hamma joyda chiqilsinmi?',
    yes: 'Ha, chiqish',
    no: 'Yoʻq, orqaga',
    ended: 'Tugatildi: {{count}}.',
    gone: 'Bu qurilmada allaqachon chiqilgan.',
  },
  name: {
    ask: 'Nomni buyruqdan keyin yuboring: /name Mening telefonim',
    done: 'Bu qurilma endi «{{name}}» deb ataladi.',
    invalid: 'Nom bir qatorda, 1 dan 100 tagacha belgi boʻladi.',
  },
  logout: {
    done: 'Siz bu chatda chiqdingiz.',
    everywhere: 'Hamma joyda chiqish',
    confirm: 'Barcha qurilmalarda chiqilsinmi?',
    endedAll: 'Siz hamma joyda chiqdingiz. Tugatilgan seanslar: {{count}}.',
  },
};
