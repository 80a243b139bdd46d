"""What companies call our tables and columns, in English, German and Chinese, for proposing a mapping.

Words are compared without capitals, accents of writing such as full-width letters, spaces and marks: `Customer ID`,
`customer_id` and `CustomerID` are one word.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

TABLE_WORDS: dict[str, str] = {
    "customers": (
        "customer client member user account buyer household kunde kunden mitglied nutzer konto 客户 会员 用户 顾客 "
        "acheteur adhérent 客户资料"
    ),
    "profile_changes": "profilechange attributechange history profiländerung 资料变更 属性变更",
    "consents": "consent optin permission gdpr einwilligung zustimmung 授权 同意 einwilligungen consentement",
    "orders": (
        "order purchase sale transaction invoice receipt bestellung auftrag verkauf rechnung kauf umsatz 订单 "
        "交易 销售 购买 umsätze verkäufe einkäufe käufe kassenbon commande vente achat facture 订单列表"
    ),
    "order_lines": "orderline orderitem lineitem basketitem position bestellposition 订单明细 订单行 明细",
    "returns": "return refund credit retoure rückgabe erstattung gutschrift 退货 退款 retour remboursement",
    "interactions": (
        "interaction event click visit session pageview web log ereignis besuch klick 行为 事件 浏览 访问"
    ),
    "tickets": "ticket case support complaint issue anfrage beschwerde vorgang 工单 投诉 客服",
    "surveys": "survey nps csat feedback review rating umfrage befragung bewertung 调查 问卷 评价 满意度",
    "subscriptions": "subscription contract plan membership abo abonnement vertrag verträge contrat 订阅 合同 套餐",
    "contacts": "campaign contact treatment mailing outreach kampagne ansprache 营销 触达 活动",
}
"""What a file of the table is called, among other words."""

_MONEY = "price total sum value revenue betrag summe wert umsatz preis 金额 总额 总价 价格"

COLUMN_WORDS: dict[str, str] = {
    "customer_id": (
        "customer customerid customernumber customerno custid clientid memberid userid accountid buyerid householdid "
        "contactid kundennummer kundennr kundenid kunde mitgliedsnummer nutzerid 客户id 客户编号 客户号 会员id "
        "会员号 "
        "会员编号 用户id 用户编号 顾客编号 nclient numéroclient numeroclient idclient codeclient"
    ),
    "occurred_at": (
        "date time timestamp datetime createdat created createddate eventtime eventdate datum zeit zeitpunkt "
        "zeitstempel "
        "erstelltam angelegtam 日期 时间 创建时间 发生时间 datedecréation datecréation"
    ),
    "customers.occurred_at": (
        "registeredat registered registrationdate signupdate signedupat joinedat joindate firstseen firstcontact "
        "customersince membersince kundeseit anlagedatum registriertam registrierungsdatum eintrittsdatum 注册时间 "
        "注册日期 入会时间 开户日期 首次接触时间 joined clientdepuis dateinscription datedinscription"
    ),
    "orders.occurred_at": (
        "orderdate orderedat ordertime purchasedate purchasedat invoicedate transactiondate saledate paidat "
        "bestelldatum bestelltam auftragsdatum kaufdatum rechnungsdatum verkaufsdatum buchungsdatum 下单时间 "
        "下单日期 "
        "订单时间 订单日期 购买时间 交易时间 交易日期 ordered belegdatum bondatum "
        "datecommande datedecommande dateachat datedachat datefacture datedefacture"
    ),
    "order_lines.occurred_at": (
        "orderdate orderedat invoicedate bestelldatum kaufdatum rechnungsdatum 下单时间 订单日期 belegdatum bondatum"
    ),
    "returns.occurred_at": (
        "returndate returnedat refunddate refundedat rückgabedatum retourendatum 退货时间 退款时间"
    ),
    "interactions.occurred_at": (
        "eventtimestamp eventat clickedat visitedat visittime ereigniszeit 行为时间 事件时间 访问时间"
    ),
    "tickets.occurred_at": "openedat opened submittedat reportedat eröffnetam gemeldetam 提交时间 开单时间 建单时间",
    "surveys.occurred_at": "sentat sent sentdate invitedat versendetam gesendetam versanddatum 发送时间 发放时间",
    "subscriptions.occurred_at": "validfrom changedat currentperiodstart gültigab geändertam 生效时间 变更时间",
    "contacts.occurred_at": "contactedat contactdate senddate sentat kontaktdatum 触达时间 联系时间",
    "consents.occurred_at": "consentat consentdate updatedat einwilligungsdatum 授权时间 同意时间",
    "profile_changes.occurred_at": "changedat changedate geändertam änderungsdatum 变更时间",
    "birth_year": "birthyear yearofbirth geburtsjahr jahrgang 出生年份 出生年",
    "gender": "sex geschlecht anrede 性别",
    "region": "state province country bundesland land 地区 省份 省 区域",
    "city": "town ort stadt wohnort 城市 市 ville",
    "income_band": "income incomelevel einkommen einkommensklasse 收入 收入段 收入区间",
    "acquisition_channel": "source utmsource referrer leadsource herkunft werbekanal quelle 来源 获客渠道 注册渠道",
    "acquisition_cost": "cac akquisekosten 获客成本",
    "display_name": "name fullname customername kundenname firstname 姓名 名称 客户名称 nom",
    "phone": "telephone mobile phonenumber telefon handy telefonnummer 电话 手机 手机号",
    "email": "mail emailaddress emailadresse 邮箱 电子邮件 邮件",
    "owner": "accountmanager salesrep betreuer 负责人 客户经理",
    "attribute": "field fieldname property feld merkmal eigenschaft 属性 字段",
    "value": "newvalue neuerwert wert 值 新值",
    "purpose": "consenttype zweck 用途 目的",
    "granted": "consent optin accepted subscribed status erteilt zugestimmt 是否同意 已授权 同意",
    "order_id": (
        "order ordernumber orderno orderref purchaseid transactionid invoiceid invoiceno invoicenumber invoice "
        "receiptid "
        "basketid bestellnummer bestellnr bestellid auftragsnummer auftragsnr rechnungsnummer belegnummer "
        "订单号 订单编号 "
        "订单id 交易号 单号 bonnummer ncommande numérocommande numerocommande nfacture"
    ),
    "amount": (
        f"{_MONEY} ordertotal totalamount orderamount netamount grandtotal totalprice spend sales linetotal "
        "refundamount mrr gesamtbetrag gesamtsumme nettobetrag bestellwert rechnungsbetrag 订单金额 实付金额 "
        "支付金额 "
        "退款金额 消费金额 gesamt gesamtpreis monatsbeitrag beitrag montant montantttc montantht prixtotal"
    ),
    "discount": "discountamount rabatt nachlass 折扣 优惠 优惠金额 折扣金额",
    "cost": "cogs costofgoods kosten wareneinsatz einkaufspreis 成本 费用",
    "quantity": "qty units items count menge anzahl stück 数量 件数 quantité",
    "channel": "saleschannel shop store via medium kanal vertriebskanal filiale 渠道 门店 平台",
    "line": "lineno linenumber position pos positionsnummer 行号",
    "product_id": (
        "product productcode sku article articleid itemid stockcode artikel artikelnummer artikelnr 商品编号 "
        "商品id 产品编号"
    ),
    "category": "productcategory department kategorie warengruppe 类别 品类 分类",
    "return_id": "return refundid rma retourennummer 退货单号 退款单号",
    "reason": "returnreason grund rückgabegrund 原因 退货原因",
    "kind": "type event eventname eventtype action typ art ereignis 类型 行为 事件 事件名称",
    "interaction_id": "eventid actionid insertid hitid clickid ereignisid 事件id 行为id",
    "session_id": "session visitid sitzung 会话 会话id",
    "item": "product productid page url itemid artikel seite 商品 页面",
    "query": "search searchterm keyword suchbegriff suche 搜索词 关键词",
    "duration_seconds": "duration seconds dauer dauersekunden 时长 停留时长",
    "ticket_id": "ticket ticketnumber caseid casenumber issueid vorgangsnummer anfragenummer 工单号 工单编号 工单id",
    "priority": "severity urgency priorität dringlichkeit 优先级",
    "first_response_at": "firstresponse firstreplyat respondedat ersteantwort 首次响应时间",
    "resolved_at": "resolved solvedat closedat closeddate gelöstam geschlossenam 解决时间 关闭时间",
    "reopened_at": "reopened wiedereröffnetam 重开时间",
    "survey_id": "survey responseid umfragenummer umfrageid 问卷编号 问卷id",
    "instrument": "surveytype umfragetyp 问卷类型",
    "scale_min": "minscore skalamin 最低分",
    "scale_max": "maxscore skalamax 最高分",
    "answered_at": "responsedate respondedat completedat submittedat beantwortetam 回答时间 提交时间",
    "score": "rating npsscore csatscore stars note punkte bewertung 评分 得分 分数",
    "comment": "feedback text kommentar anmerkung 评论 意见 留言",
    "subscription_id": (
        "subscription contract contractid contractnumber aboid abonummer vertragsnummer vertragid 订阅号 合同号 "
        "合同编号"
    ),
    "plan": "planname product tier tarif paket 套餐 方案",
    "period": "interval billingperiod billingcycle billinginterval zahlungsweise abrechnungszeitraum 周期 付费周期",
    "started_at": "startdate start begin contractstart vertragsbeginn beginn startdatum 开始时间 开始日期",
    "renews_at": "renewaldate nextbilling currentperiodend verlängertam nächsteverlängerung 续费日期 到期日",
    "ended_at": (
        "enddate end canceledat cancelledat cancellationdate gekündigtam kündigungsdatum vertragsende 结束时间 取消时间"
    ),
    "end_reason": "cancellationreason cancelreason churnreason kündigungsgrund 取消原因 退订原因",
    "contact_id": "contact touchid kontaktnummer 触达编号",
    "action": "offer treatment angebot maßnahme 动作 优惠方案",
    "campaign": "campaignid campaignname kampagne 活动 活动名称",
    "arm": "group testgroup variant gruppe testgruppe 组别 实验组",
    "propensity": "probability wahrscheinlichkeit 概率",
}
"""What a column is called, by its own name, or by table and name where the table decides."""

VALUE_WORDS: dict[str, dict[str, str]] = {
    "period": {
        "day": "daily täglich 日",
        "week": "weekly wöchentlich 周",
        "month": "monthly monatlich 月 月付",
        "quarter": "quarterly vierteljährlich quartalsweise 季 季付",
        "year": "yearly annual annually jährlich 年 年付",
    },
    "purpose": {
        "marketing": "newsletter advertising werbung 营销",
        "profiling": "personalization personalisierung 画像",
    },
    "instrument": {"csat": "satisfaction zufriedenheit 满意度", "nps": "netpromoterscore", "ces": "effort"},
    "arm": {"treated": "treatment test 实验组", "control": "holdout kontrolle kontrollgruppe 对照组"},
    "interactions.kind": {
        "visit": "sessionstart session appopen sitevisit webvisit storevisit appstart besuch sitzung 访问 进店 启动",
        "view": (
            "pageview page viewpage viewitem viewproduct productview itemview itemviewed productviewed pageviewed "
            "screenview viewitemlist viewed contentview seitenaufruf produktansicht ansicht 浏览 浏览商品 查看"
        ),
        "search": "sitesearch searched viewsearchresults searchresults productsearch suche gesucht 搜索 检索",
        "cart": (
            "addtocart addcart cartadd addedtocart addtobasket addtobag basketadd basket warenkorb inwarenkorb 加购 "
            "加入购物车"
        ),
        "wishlist": (
            "addtowishlist wishlistadd favorite favourite favorited addtofavorites merkliste wunschliste 收藏 心愿单"
        ),
        "login": "signin loggedin loginsuccess userlogin signedin anmeldung eingeloggt 登录 登陆",
        "referral": "refer referred invite invited invitefriend empfehlung weiterempfehlung 推荐 邀请",
        "share": "shared sharecontent geteilt teilen 分享 转发",
        "demo": "demorequest requestdemo bookdemo demobooked vorführung 演示",
        "trial": "starttrial trialstart trialstarted freetrial testphase 试用 开始试用",
        "email_open": "emailopened openemail mailopen mailopened opened open mailgeöffnet 打开邮件 邮件打开",
        "email_click": "emailclicked clickemail mailclick mailclicked mailgeklickt 点击邮件 邮件点击",
        "redeem": "redeemed couponredeemed redeemcoupon couponredemption redemption eingelöst 核销 兑换",
        "payment": "paymentsucceeded paymentsuccess paid invoicepaid zahlung bezahlt 支付 付款 支付成功",
        "payment_failed": (
            "paymentfailure paymentdeclined failedpayment chargefailed zahlungfehlgeschlagen 支付失败 扣款失败"
        ),
    },
    "granted": {
        "true": "yes y 1 ja j wahr granted optin subscribed 是 已同意",
        "false": "no n 0 nein falsch withdrawn denied optout unsubscribed 否 未同意",
    },
}
"""What the values of a column with few possible values are called."""


@cache
def squeezed(name: str) -> str:
    """Return a name without capitals, spaces and marks.

    Examples
    --------
    >>> squeezed("Customer ID"), squeezed("Order-Datum:"), squeezed("客户_编号")
    ('customerid', 'orderdatum', '客户编号')
    """
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


def parts(name: str) -> tuple[str, ...]:
    """Return the words a name is made of.

    Examples
    --------
    >>> parts("net_amount EUR"), parts("orderDate")
    (('net', 'amount', 'eur'), ('order', 'date'))
    """
    spaced = re.sub(r"(?<=[a-zäöü])(?=[A-ZÄÖÜ])", " ", unicodedata.normalize("NFKC", name))
    return tuple(re.sub(r"[\W_]+", " ", spaced).casefold().split())
